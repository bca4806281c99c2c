# SPDX-License-Identifier: Apache-2.0
"""Huge pages for as long as a benchmark runs: without them the cost of packet buffers is that of the TLB's misses."""
import contextlib
import pathlib

from demo.processes import Failure

PAGES = pathlib.Path("/proc/sys/vm/nr_hugepages")
WANTED = 1200  # of 2 MiB: what the programs of one case take together


@contextlib.contextmanager
def huge_pages():
    """Raises the kernel's number of huge pages to WANTED, and sets it back."""
    former = int(PAGES.read_text())
    try:
        if former < WANTED:
            PAGES.write_text(str(WANTED))
        if int(PAGES.read_text()) < WANTED:
            raise Failure(f"the kernel has no {WANTED} huge pages to give (vm.nr_hugepages): free some memory")
        yield
    except PermissionError:
        raise Failure(f"no right to write {PAGES}: run it as root") from None
    finally:
        if former < WANTED:
            with contextlib.suppress(OSError):
                PAGES.write_text(str(former))
