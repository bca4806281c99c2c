# SPDX-License-Identifier: Apache-2.0
"""The demonstration: guests with real servers behind Foreflow's dataplane, every claim measured from outside as well."""
