# SPDX-License-Identifier: Apache-2.0
"""What can be said of configs/bluefield without a DPU: the pod and the systemd unit agree, nothing in the pod names what is
not there, and bf.cfg turns a made-up system into what it promises. `bluefield_test.py SOURCE_FOLDER`."""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

SOURCE = pathlib.Path(sys.argv.pop())
FOLDER = SOURCE / "configs/bluefield"
UNIT = (SOURCE / "configs/systemd/foreflow-dataplane.service").read_text()
DEBIAN = 'ID=debian\nVERSION_ID="12"\n'
UBUNTU = 'ID=ubuntu\nVERSION_ID="22.04"\n'


def of_unit(key):
    return re.findall(rf"^{key}=(.*)$", UNIT, re.M)


class Pod(unittest.TestCase):
    def setUp(self):
        self.spec = yaml.safe_load((FOLDER / "foreflow-dataplane.yaml").read_text())["spec"]
        self.container, = self.spec["containers"]

    def test_mounts_what_it_has(self):
        mounted = [mount["name"] for mount in self.container["volumeMounts"]]
        self.assertCountEqual(mounted, [volume["name"] for volume in self.spec["volumes"]])

    def test_has_the_capabilities_of_the_unit(self):
        unit = of_unit("CapabilityBoundingSet")[0].split()
        self.assertCountEqual(self.container["securityContext"]["capabilities"]["add"],
                              [name.removeprefix("CAP_") for name in unit])

    def test_writes_only_where_something_is_mounted(self):
        self.assertTrue(self.container["securityContext"]["readOnlyRootFilesystem"])
        writable = [m["mountPath"] for m in self.container["volumeMounts"] if not m.get("readOnly")]
        environment = {entry["name"]: entry["value"] for entry in self.container["env"]}
        self.assertIn(environment["RUNTIME_DIRECTORY"], writable)
        self.assertIn("/run/" + of_unit("RuntimeDirectory")[0], writable)
        self.assertIn("/var/lib/" + of_unit("StateDirectory")[0], writable)

    def test_asks_for_as_much_as_it_may_have(self):
        """Only then kubelet gives whole CPUs and huge pages."""
        self.assertEqual(self.container["resources"]["requests"], self.container["resources"]["limits"])

    def test_runs_the_command_of_the_unit(self):
        words = re.search(r"^ENTRYPOINT (.*)$", (FOLDER / "Containerfile").read_text(), re.M).group(1)
        self.assertEqual(" ".join(yaml.safe_load(words)), of_unit("ExecStart")[0])


class BfCfg(unittest.TestCase):
    def install(self, system):
        """Runs it; returns the target folder, and what was to run in there."""
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        files, target, programs = (self.folder / name for name in ("files", "target", "bin"))
        for folder in ("etc/default", "etc/systemd/system", "var/tmp"):
            (target / folder).mkdir(parents=True)
        files.mkdir()
        programs.mkdir()
        (target / "etc/os-release").write_text(system)
        (target / "etc/default/grub").write_text('GRUB_CMDLINE_LINUX="quiet"\n')
        for name in ("dataplane.toml", "ca.crt", "dpu1.crt", "dpu1.key", "foreflow-dataplane_0.1_arm64.deb",
                     "foreflow-dataplane.tar", "foreflow-dataplane.yaml"):
            (files / name).write_text(name)
        (programs / "chroot").write_text('#!/bin/sh\nshift\necho "$@"\n')
        (programs / "chroot").chmod(0o755)
        done = subprocess.run(["bash", "-euc", f'source "{FOLDER}/bf.cfg"; bfb_modify_os'], capture_output=True, text=True,
                              env={"PATH": f"{programs}:/usr/bin:/bin", "FOREFLOW_FILES": str(files),
                                   "FOREFLOW_TARGET": str(target)})
        self.assertEqual(done.returncode, 0, done.stderr)
        return target, done.stdout

    def expect_common(self, target, told):
        for name in ("dataplane.toml", "dpu1.key"):
            self.assertEqual((target / "etc/foreflow" / name).stat().st_mode & 0o777, 0o600)
        self.assertIn('GRUB_CMDLINE_LINUX="hugepagesz=2M hugepages=512', (target / "etc/default/grub").read_text())
        self.assertIn("update-grub", told)

    def test_debian_gets_the_package(self):
        target, told = self.install(DEBIAN)
        self.expect_common(target, told)
        self.assertTrue((target / "var/tmp/foreflow-dataplane_0.1_arm64.deb").exists())
        self.assertIn("apt-get install -y /var/tmp/foreflow-dataplane_*_arm64.deb", told)
        self.assertIn("systemctl enable foreflow-dataplane.service", told)

    def test_another_system_gets_the_container(self):
        target, told = self.install(UBUNTU)
        self.expect_common(target, told)
        self.assertTrue((target / "etc/kubelet.d/foreflow-dataplane.yaml").exists())
        self.assertIn("systemctl enable foreflow-image.service", told)
        self.assertNotIn("apt-get", told)
        unit = target / "etc/systemd/system/foreflow-image.service"
        self.assertIn("import /var/lib/foreflow/foreflow-dataplane.tar", unit.read_text())
        self.assertTrue((target / "var/lib/foreflow/foreflow-dataplane.tar").exists())


if __name__ == "__main__":
    unittest.main()
