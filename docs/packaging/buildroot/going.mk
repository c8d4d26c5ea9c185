################################################################################
#
# going
#
################################################################################

GOING_VERSION = 1.0.0-rc2
GOING_SITE = https://example.org/going
GOING_LICENSE = ISC
GOING_LICENSE_FILES = LICENSE

define GOING_BUILD_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) $(TARGET_CONFIGURE_OPTS) -C $(@D)
endef

define GOING_INSTALL_TARGET_CMDS
	$(INSTALL) -D -m 0755 $(@D)/going $(TARGET_DIR)/usr/sbin/going
	$(INSTALL) -d -m 0755 $(TARGET_DIR)/etc/going.d
endef

define GOING_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(GOING_PKGDIR)/S99going \
		$(TARGET_DIR)/etc/init.d/S99going
endef

define GOING_INSTALL_INIT_OPENRC
	$(INSTALL) -D -m 0755 $(@D)/docs/packaging/alpine/going.initd \
		$(TARGET_DIR)/etc/init.d/going
endef

define GOING_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0644 $(@D)/docs/packaging/debian/going.service \
		$(TARGET_DIR)/usr/lib/systemd/system/going.service
endef

$(eval $(generic-package))
