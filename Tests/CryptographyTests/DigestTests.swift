import Cryptography
import Foundation
import Testing

/// Runs the coreutils program as an independent oracle.
private func sha256sum(_ path: String) throws -> String {
  let process = Process()
  let pipe = Pipe()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
  process.arguments = [path]
  process.standardOutput = pipe
  try process.run()
  let output = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return String(decoding: output.prefix(64), as: UTF8.self)
}

@Suite struct SHA256Tests {
  // NIST, FIPS 180-4 example values and the CAVP byte-oriented short messages.
  private let vectors: [(message: [UInt8], digest: String)] = [
    ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      Array(
        ("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
          + "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu").utf8),
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
    ([0xd3], "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"),
    (
      [UInt8](repeating: 0x61, count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    ),
  ]

  @Test func matchesTheStandardsVectors() {
    for vector in vectors { #expect(SHA256.hash(vector.message).hexadecimal == vector.digest) }
  }

  @Test(arguments: [1, 7, 64, 1000]) func givesTheSame_piecewise(size: Int) {
    for vector in vectors where vector.message.count < 10_000 || size > 1 {
      var hash = SHA256()
      var rest = vector.message[...]
      while !rest.isEmpty {
        hash.update(Array(rest.prefix(size)))
        rest = rest.dropFirst(size)
      }
      #expect(hash.finalize().hexadecimal == vector.digest)
    }
  }

  @Test func goesOn_afterADigest() {
    var hash = SHA256()
    hash.update("a")
    _ = hash.finalize()
    hash.update([])
    hash.update("bc")
    #expect(hash.finalize() == SHA256.hash("abc"))
    #expect(hash.finalize() == hash.finalize())
  }

  @Test(arguments: [0, 1, 262_143, 262_144, 262_145, 1_000_003]) func hashesFiles_likeSha256sum(size: Int) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("sha-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 2) }).write(to: URL(fileURLWithPath: path))
    let (digest, byteCount) = try SHA256.hash(fileAtPath: path)
    #expect(try digest.hexadecimal == sha256sum(path))
    #expect(byteCount == size)
  }

  @Test func namesTheFile_whenItCannotBeRead() {
    for path in ["/no/such/file", "/tmp"] {
      let error = #expect(throws: CryptographyError.self) { try SHA256.hash(fileAtPath: path) }
      #expect(error?.message.contains(path) == true)
    }
  }

  @Test func survivesItsTextForms() throws {
    let digest = SHA256.hash("abc")
    #expect(SHA256.Digest(Array(digest)) == digest)
    #expect(SHA256.Digest(hexadecimal: digest.hexadecimal.uppercased()) == digest)
    #expect(digest.prefix(4).hexadecimal == "ba7816bf")
    #expect(SHA256.Digest([1, 2]) == nil && SHA256.Digest(hexadecimal: "abc") == nil)
    #expect(Set([digest, SHA256.hash("abc"), SHA256.hash("abd")]).count == 2)
  }
}

@Suite struct HMACTests {
  // RFC 4231, test cases 1, 2, 3, 4, 6 and 7.
  @Test func matchesTheRFCsVectors() {
    let vectors: [(key: [UInt8], message: [UInt8], code: String)] = [
      (
        [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
      ),
      (
        Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
      ),
      (
        [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
      ),
      (
        Array(1...25), [UInt8](repeating: 0xcd, count: 50),
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
      ),
      (
        [UInt8](repeating: 0xaa, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
      ),
      (
        [UInt8](repeating: 0xaa, count: 131),
        Array(
          ("This is a test using a larger than block-size key and a larger than block-size data. "
            + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
      ),
    ]
    for vector in vectors {
      #expect(HMACSHA256.authenticationCode(for: vector.message, key: vector.key).hexadecimal == vector.code)
    }
  }

  @Test func acceptsAnEmptyKeyAndMessage() {
    // The well-known value for both empty.
    let code = HMACSHA256.authenticationCode(for: "", key: [])
    #expect(code.hexadecimal == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
  }
}

@Suite struct SecretTests {
  @Test func comparesAllBytes() {
    #expect(constantTimeEqual([], []))
    #expect(constantTimeEqual([1, 2, 3], [1, 2, 3]))
    #expect(!constantTimeEqual([1, 2, 3], [1, 2, 4]))
    #expect(!constantTimeEqual([0, 2, 3], [1, 2, 3]))
    #expect(!constantTimeEqual([1, 2], [1, 2, 3]))
    #expect(constantTimeEqual(SHA256.hash("a"), SHA256.hash("a")))
    #expect(!constantTimeEqual(SHA256.hash("a"), SHA256.hash("b")))
  }

  @Test func givesOtherBytesEachTime() {
    #expect(secureRandomBytes(count: 0).isEmpty)
    let samples = (0..<100).map { _ in secureRandomBytes(count: 32) }
    #expect(Set(samples).count == 100 && samples.allSatisfy { $0.count == 32 })
    // 3,200 bytes miss a given value with probability 4e-6; several at once practically never.
    #expect(Set(samples.joined()).count > 250)
  }
}

@Suite struct EncodingTests {
  @Test func readsAndWritesHexadecimal() {
    #expect(([0, 1, 0xab, 0xff] as [UInt8]).hexadecimal == "0001abff")
    #expect([UInt8](hexadecimal: "0001aBFf") == [0, 1, 0xab, 0xff])
    #expect([UInt8]().hexadecimal == "" && [UInt8](hexadecimal: "") == [])
    for bad in ["0", "0g", "0x", " 00", "é", "00 "] { #expect([UInt8](hexadecimal: bad) == nil) }
    let all = (0...255).map { UInt8($0) }
    #expect([UInt8](hexadecimal: all.hexadecimal) == all)
  }

  @Test func matchesFoundationsBase64() throws {
    for count in 0..<70 {
      let bytes = secureRandomBytes(count: count)
      let expected = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
        .replacing("=", with: "")
      #expect(Base64URL.encode(bytes) == expected)
      #expect(Base64URL.decode(expected) == bytes)
    }
    // RFC 4648, section 10.
    #expect(Base64URL.encode(Array("foobar".utf8)) == "Zm9vYmFy" && Base64URL.encode(Array("fo".utf8)) == "Zm8")
  }

  @Test func refusesBase64_thatIsNotCanonical() {
    for bad in ["A", "Zm8=", "Zm9", "Zm+/", "Zm 8", "AAAAA"] { #expect(Base64URL.decode(bad) == nil, "\(bad)") }
  }
}
