# going: a process supervisor in one C file. `make help` lists the targets.
.POSIX:
VERSION = 1.0.0-rc
DATE = 2026-11-21
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man

# The user's compiler goes first; then musl, which makes the smallest program.
CC != echo "$${CC:-$$(command -v musl-gcc || echo cc)}"
CFLAGS != printf '%s' "$${CFLAGS--Os -g}"

# What the program needs whatever CFLAGS say, and what keeps it small.
NEEDED = -std=gnu11 -Wall -Wextra -ffunction-sections -DVERSION='"$(VERSION)"'
LINK = -static -Wl,--gc-sections -Wl,-z,norelro -Wl,-z,noseparate-code

all: going ## build going, one static binary

going: going.c Makefile
	$(CC) $(CPPFLAGS) $(CFLAGS) $(NEEDED) $(LDFLAGS) $(LINK) -o $@ going.c -lm

run: ## build, and supervise copies of docs/examples in .run, without root
	@test/need run && $(MAKE) -s all
	@rm -rf .run/going.d && mkdir -p .run/going.d
	@for file in docs/examples/*; do sed "s|=/tmp/|=$$PWD/.run/|" \
		"$$file" >".run/going.d/$${file##*/}"; done
	@chmod 644 .run/going.d/*
	@echo "going runs; Ctrl-C stops it. In another terminal, in this directory:"
	@echo "  grep . .run/state/*        how it is          tail .run/clock.log"
	@echo "  touch .run/going.d/task    start it again     rm .run/going.d/crash"
	@echo "  sed -i s/world/you/ .run/going.d/hello        then look here"
	@exec ./going -d .run/going.d -r .run/state

check: ## install what the tests need, build, test, count the lines
	@test/need check && $(MAKE) -s all
	bats --jobs 2 --timing --print-output-on-failure test
	cloc --quiet going.c

proof: ## the long tests: real inits, a watchdog in qemu, every fault; or PROOF=faults
	@test/need proof && $(MAKE) -s all
	bats --timing --print-output-on-failure test/proof/$(PROOF:=.bats)

bench: ## measure going, its peers and the least that is possible; or BENCH=--quick
	@test/need bench && $(MAKE) -s all && test/bench/bench.py $(BENCH)

bench-peers: ## install the peers that Debian has, for make bench
	@test/need bench-peers

lint: ## install the linters, check format, warnings, scripts and manuals
	@test/need lint
	clang-format --dry-run -Werror going.c
	mkdir -p build && for cc in gcc clang; do \
		$$cc -O2 $(NEEDED) -Werror -c -o build/lint.o going.c || exit 1; done
	cppcheck -q --std=c11 --enable=warning,portability --error-exitcode=1 going.c
	gcc -O0 $(NEEDED) -fanalyzer -Werror -c -o build/lint.o going.c
	clang-tidy --quiet going.c -- $(NEEDED)
	shellcheck -S warning .ci/run test/need test/*.bash
	mandoc -T lint -W warning docs/going.1 docs/going.5
	! groff -man -Tutf8 -ww -z docs/going.1 docs/going.5 2>&1 | grep .

doc: ## make the manuals and the pages in docs/ anew, with ronn and python3
	@test/need doc
	docs/annotate.py '$(VERSION)' '$(DATE)'

install: all ## install going and its manual pages
	install -Dm 755 going $(DESTDIR)$(BINDIR)/going
	install -Dm 644 docs/going.1 $(DESTDIR)$(MANDIR)/man1/going.1
	install -Dm 644 docs/going.5 $(DESTDIR)$(MANDIR)/man5/going.5

uninstall: ## remove what install has installed
	rm -f $(DESTDIR)$(MANDIR)/man[15]/going.[15] $(DESTDIR)$(BINDIR)/going

clean: ## remove what was made here
	rm -rf going build .run

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' Makefile

.PHONY: all run check proof bench bench-peers lint doc install uninstall clean help
