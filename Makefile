# going: a process supervisor in one C file. `make help` lists the targets.
.POSIX:
VERSION != sed -n 's/.*"going \([0-9][^ ]*\) .*/\1/p' going.c
DATE != grep -o '20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]' CHANGELOG.md | sort | tail -n 1
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/going
SHAREDIR ?= $(PREFIX)/share/going

# The user's compiler goes first; then musl, which makes the smallest program.
CC != echo "$${CC:-$$(command -v musl-gcc || echo cc)}"
CFLAGS != printf '%s' "$${CFLAGS--Os -g}"
NEEDED = -std=gnu11 -Wall -Wextra -ffunction-sections \
	-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64

# With musl, and only there, the program is static: __DEFINED_FILE is of its stdio.h.
LINK != if [ -n "$${LINK+set}" ]; then printf '%s' "$$LINK"; \
	elif $(CC) $(CPPFLAGS) $(CFLAGS) -E -dM -include stdio.h -x c /dev/null 2>/dev/null | \
		grep -q __DEFINED_FILE; then \
	echo -static -Wl,--gc-sections -Wl,-z,norelro -Wl,-z,noseparate-code; fi
COMPILE = $(CC) $(CPPFLAGS) $(CFLAGS) $(NEEDED) $(LINK) $(LDFLAGS)
LIBS =

# What installs the tools that a target lacks; `make check NEED=:` installs nothing.
NEED = test/need

all: going ## build going; CC, CFLAGS, LDFLAGS and LINK are respected

going: going.c Makefile build/how
	$(COMPILE) -o $@ going.c $(LIBS)
	@case '$(LINK)' in *-static*) how=statically ;; *) how=dynamically ;; esac; \
		echo "going is built by $(CC), and linked $$how"

# How it was built, so that other flags build it again.
always:
build/how: always
	@mkdir -p build && echo $(COMPILE) | cmp -s - $@ || \
		{ rm -f going && echo $(COMPILE) >$@; }

run: ## build, and supervise copies of docs/examples in .run, without root
	@$(NEED) run && $(MAKE) -s all
	@umask 022 && rm -rf .run/going.d && mkdir -p .run/going.d && \
		here=$$(pwd | sed 's/[&|\\]/\\&/g') && for file in docs/examples/*; do \
		sed "s|=/tmp/|=$$here/.run/|" "$$file" >".run/going.d/$${file##*/}"; done
	@echo "going runs; Ctrl-C stops it. In another terminal, in this directory:"
	@echo "  grep . .run/state/*        how it is          tail .run/clock.log"
	@echo "  touch .run/going.d/task    start it again     rm .run/going.d/crash"
	@echo "  sed -i s/world/you/ .run/going.d/hello        then look here"
	@./going -d .run/going.d -r .run/state

check: ## install what the tests need, build, test, count the lines
	@$(NEED) check && $(MAKE) -s all
	bats --jobs 2 --timing --print-output-on-failure test
	cloc --quiet going.c

proof: ## the long tests: real inits, a watchdog in qemu, every fault; or PROOF=faults
	@$(NEED) proof && $(MAKE) -s all
	bats --timing --print-output-on-failure test/proof/$(PROOF:=.bats)

# In a clone, what git knows of; elsewhere, as in that tarball unpacked, what is there.
dist: ## pack going-VERSION.tar.gz, the same bytes by whom and wherever; needs GNU tar
	@mkdir -p build && if [ -e .git ]; then git ls-files -z; else \
		find . -path ./.run -prune -o -path ./build -prune -o -path './going-*.tar.gz' -o \
		-path ./going -o ! -type d -printf '%P\0'; fi >build/files
	@LC_ALL=C sort -z build/files | TAR_OPTIONS= tar -cf build/dist.tar --format=ustar --null -T - \
		--transform='s|^|going-$(VERSION)/|' --mtime='$(DATE) 00:00Z' \
		--owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX
	gzip -9n <build/dist.tar >going-$(VERSION).tar.gz
	@rm build/files build/dist.tar

bench: ## measure going, its peers and the least that is possible; or BENCH=--quick
	@$(NEED) bench && $(MAKE) -s all && test/bench/bench.py $(BENCH)

bench-peers: ## install the peers that Debian has, for make bench
	@$(NEED) bench-peers

lint: ## install the linters, check format, warnings, scripts and manuals
	@$(NEED) lint
	clang-format --dry-run -Werror going.c
	mkdir -p build && for cc in gcc clang; do \
		$$cc -O2 $(NEEDED) -Werror -c -o build/lint.o going.c || exit 1; done
	cppcheck -q --std=c11 --enable=warning,portability --error-exitcode=1 \
		--suppress=normalCheckLevelMaxBranches going.c
	gcc -O0 $(NEEDED) -fanalyzer -Wno-analyzer-fd-leak -Wno-analyzer-malloc-leak \
		-Werror -c -o build/lint.o going.c
	clang-tidy --quiet going.c -- $(NEEDED)
	shellcheck -S warning .ci/run test/need test/*.bash docs/record \
		docs/tools/completion.bash $$(grep -ls '^#!/bin/sh' docs/tools/*)
	mandoc -T lint -W warning docs/going.1 docs/going.5
	! groff -man -Tutf8 -ww -z docs/going.1 docs/going.5 2>&1 | grep .

doc: ## make the manuals and the pages in docs/ anew, with ronn and python3
	@$(NEED) doc
	docs/annotate.py '$(VERSION)' '$(DATE)'

install: ## install going, its manuals, pages and directory; builds only what is not built
	@[ -e going ] || { $(NEED) run && $(MAKE) -s all; }
	install -Dm 755 going "$(DESTDIR)$(BINDIR)/going"
	install -Dm 644 docs/going.1 "$(DESTDIR)$(MANDIR)/man1/going.1"
	install -Dm 644 docs/going.5 "$(DESTDIR)$(MANDIR)/man5/going.5"
	install -dm 755 "$(DESTDIR)$(DOCDIR)"
	install -m 644 docs/*.html docs/*.md docs/*.svg "$(DESTDIR)$(DOCDIR)"
	[ -d "$(DESTDIR)/etc/going.d" ] || install -dm 755 "$(DESTDIR)/etc/going.d" || \
		[ "$$(id -u)" != 0 ]

install-tools: ## install docs/tools, with links to them where the PATH finds them
	install -dm 755 "$(DESTDIR)$(SHAREDIR)/import" "$(DESTDIR)$(BINDIR)"
	for tool in docs/tools/*; do [ -x "$$tool" ] && [ -f "$$tool" ] || continue; \
		install -m 755 "$$tool" "$(DESTDIR)$(SHAREDIR)" && \
		ln -sf "$(SHAREDIR)/$${tool##*/}" "$(DESTDIR)$(BINDIR)" || exit 1; done
	install -m 644 docs/tools/completion.bash "$(DESTDIR)$(SHAREDIR)"
	install -m 644 docs/tools/import/* "$(DESTDIR)$(SHAREDIR)/import"

uninstall-tools: ## remove what install-tools has installed
	for tool in docs/tools/*; do link="$(DESTDIR)$(BINDIR)/$${tool##*/}"; \
		[ ! -L "$$link" ] || rm -f "$$link"; done
	rm -rf "$(DESTDIR)$(SHAREDIR)"

uninstall: ## remove what install has installed, but not your services
	rm -f "$(DESTDIR)$(MANDIR)"/man[15]/going.[15] "$(DESTDIR)$(BINDIR)/going"
	cd docs && for file in *.html *.md *.svg; do rm -f "$(DESTDIR)$(DOCDIR)/$$file"; done
	rmdir "$(DESTDIR)$(DOCDIR)" "$(DESTDIR)/etc/going.d" 2>/dev/null || :

clean: ## remove what was made here
	rm -rf going build .run going-*.tar.gz

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' Makefile

.PHONY: all always run check proof dist bench bench-peers lint doc install uninstall install-tools uninstall-tools clean help
