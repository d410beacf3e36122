//! SM3, HMAC-SM3 and the chain of hashes against published and independent values.

use duban_core::digest::Digest;
use duban_core::event::Event;

use super::lives;

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(digit).collect()
}

/// SM3 as GB/T 32905-2016 writes it down, bit by bit as the standard does: slow, and nothing but
/// the standard.
fn sm3(message: &[u8]) -> [u8; 32] {
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(64), 0);
    if (message.len() % 64) >= 56 {
        padded.resize(padded.len() + 64, 0);
    }
    let length = padded.len();
    padded[length - 8..].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    let mut state: [u32; 8] = [
        0x7380_166f,
        0x4914_b2b9,
        0x1724_42d7,
        0xda8a_0600,
        0xa96f_30bc,
        0x1631_38aa,
        0xe38d_ee4d,
        0xb0fb_0e4e,
    ];
    for block in padded.chunks_exact(64) {
        compress(&mut state, block);
    }
    let mut out = [0; 32];
    for (place, word) in out.chunks_exact_mut(4).zip(state) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    out
}

#[expect(clippy::many_single_char_names, reason = "the letters of the standard")]
fn compress(state: &mut [u32; 8], block: &[u8]) {
    let p0 = |x: u32| x ^ x.rotate_left(9) ^ x.rotate_left(17);
    let p1 = |x: u32| x ^ x.rotate_left(15) ^ x.rotate_left(23);
    let mut words: Vec<u32> = block
        .chunks_exact(4)
        .map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
        .collect();
    for j in 16..68 {
        let word = p1(words[j - 16] ^ words[j - 9] ^ words[j - 3].rotate_left(15))
            ^ words[j - 13].rotate_left(7)
            ^ words[j - 6];
        words.push(word);
    }
    let before = *state;
    for j in 0..64 {
        let early = j < 16;
        let constant: u32 = if early { 0x79cc_4519 } else { 0x7a87_9d8a };
        let [a, b, c, d, e, f, g, h] = *state;
        let turned = constant.rotate_left(u32::try_from(j % 32).expect("small"));
        let ss1 = a.rotate_left(12).wrapping_add(e).wrapping_add(turned).rotate_left(7);
        let ss2 = ss1 ^ a.rotate_left(12);
        let ff = if early { a ^ b ^ c } else { (a & b) | (a & c) | (b & c) };
        let gg = if early { e ^ f ^ g } else { (e & f) | (!e & g) };
        let tt1 = ff.wrapping_add(d).wrapping_add(ss2).wrapping_add(words[j] ^ words[j + 4]);
        let tt2 = gg.wrapping_add(h).wrapping_add(ss1).wrapping_add(words[j]);
        *state = [tt1, a, b.rotate_left(9), c, p0(tt2), e, f.rotate_left(19), g];
    }
    for (word, old) in state.iter_mut().zip(before) {
        *word ^= old;
    }
}

/// HMAC (RFC 2104) over the SM3 above.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let inner: Vec<u8> = block.iter().map(|byte| byte ^ 0x36).chain(message.to_vec()).collect();
    let outer = block.iter().map(|byte| byte ^ 0x5c).chain(sm3(&inner));
    sm3(&outer.collect::<Vec<u8>>())
}

/// The examples of GB/T 32905-2016, annex A.
#[test]
fn sm3_agrees_with_the_standard() {
    let abc = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
    let abcd = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732";
    assert_eq!(sm3(b"abc").to_vec(), bytes(abc));
    assert_eq!(sm3(&b"abcd".repeat(16)).to_vec(), bytes(abcd));
    // `link` hashes the previous link and the stored bytes and nothing else: a message that
    // begins with the 32 bytes of a link can be taken apart.
    let repeated = b"abcd".repeat(16);
    let head: [u8; 32] = repeated[..32].try_into().expect("32 bytes");
    assert_eq!(Digest(head).link(&repeated[32..]).to_string(), abcd);
}

#[test]
fn links_and_commitments_agree_with_an_independent_sm3() {
    let mut link = Digest::ZERO;
    for length in [0_usize, 1, 23, 24, 31, 32, 55, 56, 63, 64, 65, 119, 120, 1_000] {
        let stored: Vec<u8> =
            (0..length).map(|at| u8::try_from(at % 251).expect("small")).collect();
        let expected = sm3(&[&link.0[..], &stored].concat());
        link = link.link(&stored);
        assert_eq!(link.0, expected, "{length}");
        let key = link.0;
        assert_eq!(Digest::commitment(&key, &stored).0, hmac(&key, &stored), "{length}");
        let parts = [&(length as u64).to_be_bytes()[..], &stored].concat();
        assert_eq!(Digest::of(&[&stored]).0, sm3(&parts), "{length}");
    }
}

#[test]
fn two_lists_of_parts_never_collide() {
    let lists: [&[&[u8]]; 5] = [&[b"ab"], &[b"a", b"b"], &[b"", b"ab"], &[b"ab", b""], &[]];
    for (index, one) in lists.iter().enumerate() {
        for other in &lists[index + 1..] {
            assert_ne!(Digest::of(one), Digest::of(other), "{one:?} {other:?}");
        }
    }
}

#[test]
fn a_digest_is_written_and_read() {
    let digest = Digest::of(&[b"abc"]);
    assert_eq!(digest.to_string().parse(), Ok(digest));
    let zeros = "0".repeat(64);
    assert_eq!(zeros.parse(), Ok(Digest::ZERO));
    for wrong in ["", "0", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"督".repeat(64)] {
        assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
    }
    assert!(format!("+{}", "0".repeat(63)).parse::<Digest>().is_err(), "a sign is no digit");
}

/// A change anywhere in a history changes every link after it.
#[test]
fn the_chain_shows_every_change() {
    let (_, life) = lives().iter().find(|(name, _)| name == "smooth").expect("the scenario");
    let stored: Vec<Vec<u8>> = life.history().map(Event::to_bytes).collect();
    let chain = |stored: &[Vec<u8>]| {
        let mut link = Digest::ZERO;
        let mut links = Vec::new();
        for bytes in stored {
            link = link.link(bytes);
            links.push(link);
        }
        links
    };
    let sound = chain(&stored);
    for changed in 0..stored.len() {
        let mut other = stored.clone();
        let at = other[changed].len() / 2;
        other[changed][at] ^= 1;
        let links = chain(&other);
        assert_eq!(links[..changed], sound[..changed]);
        for later in changed..links.len() {
            assert_ne!(links[later], sound[later], "event {changed} changed, link {later} not");
        }
        let mut without = stored.clone();
        without.remove(changed);
        assert_ne!(chain(&without).last(), sound.last());
    }
}
