# SPDX-License-Identifier: Apache-2.0
# foreflow_link_emulated(TARGET): the target's rte_flow and rte_mtr calls go to the emulated eSwitch. --wrap rewires
# references in our own objects only; the whole archive is linked because it is referred to under wrapped names alone.
function(foreflow_link_emulated target)
  set(wrapped
    rte_eth_dev_start rte_eth_dev_close
    rte_flow_pick_transfer_proxy rte_flow_validate rte_flow_create rte_flow_destroy rte_flow_flush rte_flow_query
    rte_mtr_capabilities_get rte_mtr_meter_profile_add rte_mtr_meter_profile_delete
    rte_mtr_meter_policy_validate rte_mtr_meter_policy_add rte_mtr_meter_policy_delete
    rte_mtr_create rte_mtr_destroy rte_mtr_meter_profile_update rte_mtr_stats_read)
  list(TRANSFORM wrapped PREPEND "LINKER:--wrap=")
  target_link_libraries(${target} PRIVATE "$<LINK_LIBRARY:WHOLE_ARCHIVE,foreflow_emulated>")
  target_link_options(${target} PRIVATE ${wrapped})
endfunction()
