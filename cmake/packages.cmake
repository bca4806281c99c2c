# SPDX-License-Identifier: Apache-2.0
# What is installed where, and the three Debian packages: dataplane (DPU or host), manager, cli. Made by scripts/package.
include(GNUInstallDirs)

# foreflow_program(TARGET COMPONENT): a program of that package, if this build has it.
function(foreflow_program target component)
  if(TARGET ${target})
    install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${component})
  endif()
endfunction()

foreflow_program(foreflow-dataplane dataplane)
foreflow_program(foreflow-classify dataplane)
foreflow_program(foreflowd manager)
foreflow_program(foreflow-backtest manager)
foreflow_program(foreflow cli)

set(data ${CMAKE_INSTALL_DATADIR}/foreflow)
set(units lib/systemd/system)

install(DIRECTORY configs/signatures DESTINATION ${data} COMPONENT dataplane)
install(FILES configs/dataplane.toml DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/foreflow-dataplane/examples COMPONENT dataplane)
install(FILES docs/DPU.md README.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/foreflow-dataplane COMPONENT dataplane)
install(DIRECTORY configs/bluefield DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/foreflow-dataplane/examples COMPONENT dataplane)
install(FILES configs/systemd/foreflow-dataplane.service DESTINATION ${units} COMPONENT dataplane)
install(PROGRAMS scripts/host-setup DESTINATION ${CMAKE_INSTALL_SBINDIR} RENAME foreflow-host-setup COMPONENT dataplane)

install(FILES configs/foreflowd.toml DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/foreflow-manager/examples COMPONENT manager)
install(FILES README.md docs/ARCHITECTURE.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/foreflow-manager COMPONENT manager)
install(DIRECTORY configs/grafana DESTINATION ${data} COMPONENT manager)
install(FILES configs/systemd/foreflowd.service DESTINATION ${units} COMPONENT manager)

function(foreflow_pages component)
  foreach(page ${ARGN})
    string(REGEX MATCH "[0-9]$" section ${page})
    install(FILES docs/man/${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT ${component})
  endforeach()
endfunction()

foreflow_pages(dataplane foreflow-dataplane.8 foreflow-host-setup.8 foreflow-classify.1)
foreflow_pages(manager foreflowd.8 foreflow-backtest.1)
foreflow_pages(cli foreflow.1)

foreach(component dataplane manager cli)
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/foreflow-${component} RENAME copyright COMPONENT ${component})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME foreflow)
set(CPACK_PACKAGE_VENDOR Foreflow)
set(CPACK_PACKAGE_CONTACT "Foreflow developers <developers@foreflow.invalid>")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL dataplane manager cli)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_DATAPLANE_PACKAGE_NAME foreflow-dataplane)
set(CPACK_DEBIAN_MANAGER_PACKAGE_NAME foreflow-manager)
set(CPACK_DEBIAN_CLI_PACKAGE_NAME foreflow-cli)
set(CPACK_COMPONENT_DATAPLANE_DESCRIPTION "Foreflow's dataplane: counts, recognises and limits each VM's traffic on a DPU or a host")
set(CPACK_COMPONENT_MANAGER_DESCRIPTION "Foreflow's manager: stores, forecasts, decides limits and sends them to the dataplanes")
set(CPACK_COMPONENT_CLI_DESCRIPTION "Foreflow's command line: shows and configures everything through the manager")
# libdpdk's drivers are plug-ins that no program links: without them there is no port.
set(CPACK_DEBIAN_DATAPLANE_PACKAGE_DEPENDS "librte-meta-bus, librte-meta-mempool, librte-meta-net")
set(CPACK_DEBIAN_DATAPLANE_PACKAGE_RECOMMENDS "iproute2, pciutils, driverctl")
set(CPACK_DEBIAN_MANAGER_PACKAGE_DEPENDS "adduser")
set(CPACK_DEBIAN_MANAGER_PACKAGE_RECOMMENDS "foreflow-cli")
set(CPACK_DEBIAN_DATAPLANE_PACKAGE_CONTROL_EXTRA
  ${CMAKE_SOURCE_DIR}/cmake/debian/dataplane/postinst ${CMAKE_SOURCE_DIR}/cmake/debian/dataplane/prerm)
set(CPACK_DEBIAN_MANAGER_PACKAGE_CONTROL_EXTRA
  ${CMAKE_SOURCE_DIR}/cmake/debian/manager/postinst ${CMAKE_SOURCE_DIR}/cmake/debian/manager/prerm)
include(CPack)
