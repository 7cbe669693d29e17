//! Hostile URLs: spellings of a canary's address × schemes × what else a URL can have.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The address in every spelling that somebody reads as that address.
pub(crate) fn spellings(ip: IpAddr) -> Vec<String> {
    match ip {
        IpAddr::V4(v4) => spellings_v4(v4),
        IpAddr::V6(v6) => spellings_v6(v6),
    }
}

fn spellings_v4(v4: Ipv4Addr) -> Vec<String> {
    let bits = v4.to_bits();
    let [a, b, c, d] = v4.octets();
    let dotted = v4.to_string();
    let digits = |zero: char| -> String {
        dotted
            .chars()
            .map(|c| match c.to_digit(10) {
                Some(digit) => char::from_u32(zero as u32 + digit).unwrap(),
                None => c,
            })
            .collect()
    };
    vec![
        format!("{dotted}."),
        format!("{bits}"),
        format!("{bits:#x}"),
        format!("0X{bits:X}"),
        format!("0{bits:o}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("000{a:o}.{b}.{c}.{d:#x}"),
        format!("{a}.{}", bits & 0xff_ffff),
        format!("{a:#x}.{}", bits & 0xff_ffff),
        format!("{a}.{b}.{}", bits & 0xffff),
        digits('０'),
        digits('𝟎'),
        dotted.replace('.', "。"),
        dotted.replace('.', "．"),
        dotted.replace('.', "%2e"),
        dotted
            .bytes()
            .map(|byte| format!("%{byte:02x}"))
            .collect::<Vec<_>>()
            .concat(),
        format!("[::ffff:{dotted}]"),
        format!("[0:0:0:0:0:FFFF:{:x}:{:x}]", bits >> 16, bits & 0xffff),
        dotted,
    ]
}

fn spellings_v6(v6: Ipv6Addr) -> Vec<String> {
    let groups = v6.segments().map(|group| format!("{group:04X}"));
    let low = v6.segments()[7];
    vec![
        format!("[{v6}]"),
        format!("[{}]", groups.join(":")),
        format!("[0::{low:04x}]"),
        format!("[::0.0.0.{low}]"),
    ]
}

/// URLs that end at the canary, for whoever does not look.
pub(crate) fn at(canary: SocketAddr) -> Vec<String> {
    let port = canary.port();
    let plain = match canary.ip() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    };
    let mut urls = Vec::new();
    for host in spellings(canary.ip()) {
        for scheme in ["http", "https"] {
            urls.push(format!("{scheme}://{host}:{port}/"));
        }
    }
    for scheme in ["http", "https", "HtTpS"] {
        for userinfo in [
            "user:password@",
            "public.example@",
            "public.example:443@",
            ":@",
            "%40@",
        ] {
            urls.push(format!(
                "{scheme}://{userinfo}{plain}:{port}/latest/meta-data/"
            ));
        }
        urls.push(format!("{scheme}:\\\\{plain}:{port}\\"));
        urls.push(format!("{scheme}:{plain}:{port}/"));
        urls.push(format!("{scheme}:////{plain}:{port}/"));
        urls.push(format!("  {scheme}://{plain}:{port}/"));
        urls.push(format!("{scheme}:/\t/{plain}:\n{port}/"));
        urls.push(format!("{scheme}://{plain}:{port}#@public.example/"));
        urls.push(format!("{scheme}://{plain}:{port}?@public.example/"));
        urls.push(format!("{scheme}://{plain}:{port}\\@public.example/"));
        urls.push(format!("{scheme}://{plain}:{port}/\u{0}%00"));
        urls.push(format!("{scheme}://{plain}:00{port}/"));
    }
    urls
}

/// Of the machine itself without saying so.
pub(crate) fn unspecified(canary: SocketAddr) -> Vec<String> {
    let port = canary.port();
    let hosts = [
        "0.0.0.0",
        "0",
        "0x0",
        "00",
        "[::]",
        "[::ffff:0.0.0.0]",
        "０",
    ];
    let urls = hosts.map(|host| {
        [
            format!("http://{host}:{port}/"),
            format!("https://{host}:{port}/"),
        ]
    });
    urls.concat()
}

/// What is no web address.
pub(crate) fn of_other_schemes(canary: SocketAddr) -> Vec<String> {
    let schemes = [
        "ftp",
        "ftps",
        "file",
        "gopher",
        "dict",
        "ldap",
        "tftp",
        "sftp",
        "ws",
        "wss",
        "jar:http",
        "view-source:http",
        "unix",
        "redis",
        "smtp",
        "httpss",
        "data",
        "javascript",
    ];
    let mut urls: Vec<_> = schemes
        .map(|scheme| format!("{scheme}://{canary}/"))
        .to_vec();
    urls.push(format!("//{canary}/"));
    urls.push(canary.to_string());
    urls.push("file:///etc/passwd".to_owned());
    urls
}
