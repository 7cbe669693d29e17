//! Programs that look for a way out of a session. Each one answers with what it got:
//! `ok`, or the error of the system. Outside, as a control, the same programs get what they are after (`python_controls`).

use crate::hosts::Host;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// Helpers of the programs below.
const PRELUDE: &str = r"
import ctypes, errno, json, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
ARM = os.uname().machine == 'aarch64'
def attempt(action):
    try:
        action()
        return 'ok'
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    except Exception as error:
        return type(error).__name__
def system(x86, arm, *arguments):
    # Whole words: some of them stand on the stack.
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    if libc.syscall(ctypes.c_long(arm if ARM else x86), *words) == -1:
        raise OSError(ctypes.get_errno(), 'refused')
def cloned():
    # The process that is born goes on here, too.
    child = libc.syscall(ctypes.c_long(220 if ARM else 56), 0x10000000 | 17, 0, 0, 0, 0)
    if child == -1: raise OSError(ctypes.get_errno(), 'refused')
    if child == 0: os._exit(0)
def call(name, *arguments):
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), 'refused')
def in_child(action):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, attempt(action).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    said = os.read(reader, 100).decode()
    os.close(reader)
    if said != 'ok':
        raise OSError(getattr(errno, said, 0), said)
def to(host, port, kind=socket.SOCK_STREAM, family=socket.AF_INET):
    with socket.socket(family, kind) as s:
        s.settimeout(2)
        s.connect((host, port))
        if kind == socket.SOCK_DGRAM: s.send(b'x')
def opened(family, kind, protocol=0): socket.socket(family, kind, protocol).close()
def listening():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0)); s.listen()
def found_secret():
    seen = json.dumps(dict(os.environ))
    for pid in ['self', '1', str(os.getppid())]:
        try: seen += open(f'/proc/{pid}/environ', errors='replace').read()
        except OSError: pass
    if 'of the server' not in seen: raise FileNotFoundError(errno.ENOENT, 'no secret')
";

/// What may be refused in more than one way.
const REFUSED: &[&str] = &["EPERM", "ENOSYS", "EACCES"];
const ABSENT: &[&str] = &["ENOENT"];
const SEALED: &[&str] = &["EROFS", "EACCES", "EPERM"];
const UNREACHED: &[&str] = &["EACCES", "ENETUNREACH", "ECONNREFUSED", "EPERM"];

/// Name, program, what it gets inside, and whether anybody gets what it is after outside: `A` anybody, `R` root,
/// `N` nobody, or nobody here.
const PROGRAMS: &[(&str, &str, &[&str], char)] = &[
    ("py_read_shadow", "open('/etc/shadow').read()", ABSENT, 'R'),
    ("py_host_home", "os.listdir('/home')", ABSENT, 'A'),
    ("py_host_var", "os.listdir('/var')", ABSENT, 'A'),
    ("py_host_env_var", "found_secret()", ABSENT, 'A'),
    (
        "py_proc_environ",
        "open(f'/proc/{os.getppid()}/environ').read()",
        ABSENT,
        'A',
    ),
    (
        "py_proc1_root",
        "os.listdir('/proc/%d/root' % os.getppid())",
        ABSENT,
        'A',
    ),
    (
        "py_proc1_mem",
        "open(f'/proc/{os.getppid()}/mem', 'rb')",
        ABSENT,
        'A',
    ),
    ("py_proc_other_pid", "os.stat('/proc/1')", ABSENT, 'A'),
    (
        "py_proc_kernel",
        "open('/proc/sys/kernel/hostname').read()",
        ABSENT,
        'A',
    ),
    ("py_sys", "os.listdir('/sys')", ABSENT, 'A'),
    (
        "py_symlink_escape",
        "os.symlink('/../../../etc/shadow', '/tmp/py_link') if not os.path.islink('/tmp/py_link') else 0; open('/tmp/py_link')",
        ABSENT,
        'R',
    ),
    (
        "py_dotdot",
        "open('/scratch/../../../../var/lib/dpkg/status')",
        ABSENT,
        'N',
    ),
    (
        "py_write_root",
        "open('/py_file', 'w'); os.unlink('/py_file')",
        SEALED,
        'R',
    ),
    (
        "py_write_usr",
        "open('/usr/py_file', 'w'); os.unlink('/usr/py_file')",
        SEALED,
        'R',
    ),
    (
        "py_write_etc",
        "open('/etc/py_file', 'w'); os.unlink('/etc/py_file')",
        SEALED,
        'R',
    ),
    (
        "py_write_skill",
        "open('/mnt/skills/pdf/scripts/run.py', 'a')",
        SEALED,
        'N',
    ),
    (
        "py_hardlink_skill",
        "os.link('/mnt/skills/pdf/scripts/run.py', '/scratch/run.py')",
        &["EXDEV", "EACCES", "EPERM", "EROFS"],
        'N',
    ),
    (
        "py_device",
        "os.mknod('/tmp/py_disk', 0o60600, os.makedev(254, 0)); os.unlink('/tmp/py_disk')",
        REFUSED,
        'R',
    ),
    (
        "py_mount",
        "in_child(lambda: call('mount', b'none', b'/mnt', b'tmpfs', 0, None))",
        REFUSED,
        'R',
    ),
    (
        "py_umount",
        "in_child(lambda: call('umount2', b'/tmp', 2))",
        REFUSED,
        'N',
    ),
    (
        "py_remount",
        "call('mount', None, b'/usr', None, 32 | 4096, None)",
        REFUSED,
        'N',
    ),
    (
        "py_unshare_user",
        "in_child(lambda: call('unshare', 0x10000000))",
        REFUSED,
        'A',
    ),
    (
        "py_unshare_net",
        "in_child(lambda: call('unshare', 0x40000000))",
        REFUSED,
        'R',
    ),
    ("py_clone_newuser", "in_child(cloned)", REFUSED, 'A'),
    (
        "py_clone3",
        "system(435, 435, 0, 0)",
        &["ENOSYS", "EPERM"],
        'N',
    ),
    (
        "py_setns",
        "call('setns', os.open('/proc/self/ns/net', 0), 0)",
        &["EPERM", "ENOSYS", "ENOENT"],
        'R',
    ),
    (
        "py_chroot",
        "in_child(lambda: os.chroot('/tmp'))",
        REFUSED,
        'R',
    ),
    ("py_pivot", "system(155, 41, b'.', b'.')", REFUSED, 'N'),
    (
        "py_open_tree",
        "system(428, 428, -100, b'/usr', 1)",
        REFUSED,
        'R',
    ),
    (
        "py_ptrace",
        "in_child(lambda: call('ptrace', 0, 0, 0, 0))",
        REFUSED,
        'A',
    ),
    (
        "py_process_vm_readv",
        "system(310, 270, os.getpid(), 0, 0, 0, 0, 0)",
        REFUSED,
        'A',
    ),
    ("py_bpf", "system(321, 280, 0, 0, 0)", REFUSED, 'N'),
    (
        "py_io_uring",
        "system(425, 425, 1, ctypes.create_string_buffer(120))",
        REFUSED,
        'N',
    ),
    ("py_keyctl", "system(250, 219, 0, -3, 0)", REFUSED, 'N'),
    ("py_userfaultfd", "system(323, 282, 1)", REFUSED, 'N'),
    ("py_perf", "system(298, 241, 0, 0, -1, -1, 0)", REFUSED, 'N'),
    (
        "py_open_by_handle",
        "system(304, 265, -100, 0, 0)",
        REFUSED,
        'N',
    ),
    (
        "py_personality",
        "system(135, 92, 0xffffffff)",
        REFUSED,
        'A',
    ),
    (
        "py_seccomp_again",
        "system(317, 277, 0, 0, 0)",
        REFUSED,
        'N',
    ),
    ("py_dumpable", "call('prctl', 4, 1, 0, 0, 0)", REFUSED, 'A'),
    ("py_setuid0", "os.setuid(0)", &["EPERM", "EINVAL"], 'R'),
    (
        "py_setuid_other",
        "in_child(lambda: os.setuid(1000))",
        &["EPERM", "EINVAL"],
        'R',
    ),
    (
        "py_setgroups",
        "in_child(lambda: os.setgroups([0]))",
        REFUSED,
        'R',
    ),
    (
        "py_suid_binary",
        "import subprocess; subprocess.run(['su', '-c', 'id'], check=True, capture_output=True)",
        &["CalledProcessError", "ENOENT"],
        'N',
    ),
    (
        "py_kill_first",
        "os.kill(1, 9); os.kill(1, 15); open('/nowhere')",
        &["ENOENT", "EPERM"],
        'N',
    ),
    (
        "py_raw_socket",
        "opened(socket.AF_INET, socket.SOCK_RAW, 1)",
        REFUSED,
        'R',
    ),
    (
        "py_packet",
        "opened(socket.AF_PACKET, socket.SOCK_RAW)",
        REFUSED,
        'R',
    ),
    (
        "py_netlink",
        "opened(socket.AF_NETLINK, socket.SOCK_RAW)",
        REFUSED,
        'A',
    ),
    ("py_vsock", "opened(40, socket.SOCK_STREAM)", REFUSED, 'N'),
    (
        "py_connect_public",
        "to('203.0.113.1', 443)",
        UNREACHED,
        'N',
    ),
    (
        "py_connect_metadata",
        "to('169.254.169.254', 80)",
        UNREACHED,
        'N',
    ),
    ("py_connect_rfc1918", "to('10.0.0.1', 80)", UNREACHED, 'N'),
    (
        "py_connect_host_loopback",
        "to('127.0.0.1', PORT)",
        UNREACHED,
        'A',
    ),
    (
        "py_ipv6",
        "to('2001:db8::1', 443, family=socket.AF_INET6)",
        &["EACCES", "ENETUNREACH", "EADDRNOTAVAIL"],
        'N',
    ),
    (
        "py_udp_dns",
        "to('192.0.2.53', 53, socket.SOCK_DGRAM)",
        UNREACHED,
        'N',
    ),
    (
        "py_dns",
        "socket.getaddrinfo('example.com', 443)",
        &[
            "gaierror",
            "EAI_AGAIN",
            "[Errno -2] Name or service not known",
            "[Errno -3] Temporary failure in name resolution",
        ],
        'N',
    ),
    (
        "py_abstract_unix",
        "socket.socket(socket.AF_UNIX).connect('\\0quaymaster-PORT')",
        &["EPERM", "ECONNREFUSED"],
        'A',
    ),
    ("py_listen", "listening()", REFUSED, 'A'),
    (
        "py_memfd_bomb",
        "os.close(os.memfd_create('x'))",
        REFUSED,
        'A',
    ),
    (
        "py_sysv_shm",
        "call('shmget', 0, 4096, 0o1600)",
        REFUSED,
        'A',
    ),
    (
        "py_mq",
        "system(240, 180, b'py_queue', 0o102, 0o600, 0); system(241, 181, b'py_queue')",
        REFUSED,
        'N',
    ),
    ("py_nice", "os.nice(-5)", REFUSED, 'R'),
    (
        "py_raise_limit",
        "import resource; resource.setrlimit(resource.RLIMIT_NPROC, (10000, 10000)); open('/nowhere')",
        &["ValueError", "EPERM"],
        'N',
    ),
];

/// A listener of the machine, on TCP and on an abstract name.
pub(crate) fn listeners() -> (std::net::TcpListener, std::os::unix::net::UnixListener, u16) {
    use std::os::linux::net::SocketAddrExt as _;
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port();
    let name = format!("quaymaster-{port}");
    let name = std::os::unix::net::SocketAddr::from_abstract_name(name).unwrap();
    let unix = std::os::unix::net::UnixListener::bind_addr(&name).unwrap();
    (tcp, unix, port)
}

/// A program whose result is what each of the programs got, as JSON.
pub(crate) fn all_of(wanted: impl Fn(char) -> bool, port: u16) -> String {
    let mut code = format!("{PRELUDE}\ngot = {{}}\n");
    for (name, program, _, outside) in PROGRAMS {
        if wanted(*outside) {
            let program = program.replace("PORT", &port.to_string());
            let program = serde_json::to_string(&program).unwrap();
            let _ = writeln!(
                code,
                "got[{name:?}] = attempt(lambda: exec({program}, globals()))"
            );
        }
    }
    code.push_str("print(json.dumps(got))\n");
    code
}

#[test]
fn no_program_finds_a_way_out() {
    let (_tcp, _unix, port) = listeners();
    for mut host in Host::python_everywhere() {
        for network in [true, false] {
            let ran = host.py(json!({
                "code": all_of(|_| true, port), "skills": ["pdf"], "network": network, "key": network.to_string(),
            }));
            assert_eq!(ran["ending"], "ok", "{} {ran}", host.how);
            let got: Map<String, Value> =
                serde_json::from_str(ran["stdout"].as_str().unwrap()).unwrap();
            for (name, _, expected, _) in PROGRAMS {
                let got = got[*name].as_str().unwrap();
                assert!(
                    expected.contains(&got),
                    "{} {name}: {got}, network {network}",
                    host.how
                );
            }
            // Nothing of it cost the session its state.
            let kept = host
                .py(json!({ "code": "len(got)", "skills": ["pdf"], "key": network.to_string() }));
            assert_eq!(kept["state"], "kept", "{kept}");
        }
    }
}

#[test]
fn only_its_own_files_are_open_in_a_session() {
    // py_fd_leak, py_read_host_passwd
    for mut host in Host::python_everywhere() {
        let code = "import os; sorted(int(f) for f in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{f}') or int(f) < 4)";
        assert_eq!(host.py_value(code), "[0, 1, 2, 3]", "{}", host.how);
        assert_eq!(
            host.py_value("open('/etc/passwd').read()"),
            "'nobody:x:65534:65534:nobody:/scratch:/bin/sh\\n'"
        );
        let with_proxy = host.py(json!({
            "key": "net", "network": true,
            "code": "import os, socket; s = socket.create_connection(('127.0.0.1', 3128)); (s.recv(99), os.environ['HTTPS_PROXY'], sorted(os.listdir('/proc/self/fd'))[:4])",
        }));
        assert_eq!(
            with_proxy["said"], "(b'the proxy', 'http://127.0.0.1:3128', ['0', '1', '2', '3'])",
            "{with_proxy}"
        );
    }
}
