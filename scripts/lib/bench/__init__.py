# SPDX-License-Identifier: Apache-2.0
"""Benchmarks of whole programs: `scripts/bench NAME` runs the module of that name here, or builds tests/bench/NAME.cc."""
