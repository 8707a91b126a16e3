import CCrypto
import Glibc

/// The SHA-256 hash function (FIPS 180-4), all at once or piece by piece.
public struct SHA256: ~Copyable, @unchecked Sendable {
  /// The 32 bytes that SHA-256 makes of a message.
  public struct Digest: Hashable, Sendable, CustomStringConvertible {
    /// The length of a digest, bytes.
    public static let byteCount = 32
    // Four words rather than an array: digests are keys of large tables.
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    init(writing body: (UnsafeMutablePointer<UInt8>) -> Void) {
      withUnsafeMutableBytes(of: &words) { body($0.baseAddress!.assumingMemoryBound(to: UInt8.self)) }
    }

    /// A digest stored as bytes; `nil` unless there are 32.
    public init?(_ bytes: some Collection<UInt8>) {
      if bytes.count != Self.byteCount { return nil }
      withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    }

    /// A digest written in hexadecimal; `nil` unless there are 64 digits.
    public init?(hexadecimal: String) {
      guard let bytes = [UInt8](hexadecimal: hexadecimal) else { return nil }
      self.init(bytes)
    }

    /// 64 lower-case hexadecimal digits.
    public var description: String { hexadecimal }

    /// Calls `body` with the 32 bytes, valid only inside.
    public func withUnsafeBytes<Result, Failure: Error>(
      _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
      try Swift.withUnsafeBytes(of: words, body)
    }

    /// Not in constant time: use `constantTimeEqual` where an attacker may measure.
    public static func == (left: Digest, right: Digest) -> Bool { left.words == right.words }

    /// A digest is its own good hash.
    public func hash(into hasher: inout Hasher) {
      hasher.combine(words.0)
      hasher.combine(words.1)
    }
  }

  /// Looked up once: OpenSSL 3 searches its providers on each use of `EVP_sha256()`.
  nonisolated(unsafe) private static let algorithm = EVP_MD_fetch(nil, "SHA256", nil)

  private let context: OpaquePointer

  /// Begins an empty message.
  public init() {
    // These calls fail only without memory, or if the library has no SHA-256.
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, Self.algorithm, nil) == 1 else {
      fatalError("libcrypto has no SHA-256")
    }
    self.context = context
  }

  deinit {
    EVP_MD_CTX_free(context)
  }

  /// Appends bytes to the message.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    if bytes.isEmpty { return }
    let status = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    precondition(status == 1, "SHA-256 failed")
  }

  /// Appends bytes to the message.
  public mutating func update(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { update($0) }
  }

  /// Appends a text's UTF-8 bytes to the message.
  public mutating func update(_ text: String) {
    var text = text
    text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
  }

  /// The digest of the message so far; the message may go on.
  public func finalize() -> Digest {
    guard let copy = EVP_MD_CTX_new() else { fatalError("no memory for SHA-256") }
    defer { EVP_MD_CTX_free(copy) }
    let status = EVP_MD_CTX_copy_ex(copy, context)
    precondition(status == 1, "SHA-256 failed")
    return Digest { bytes in
      let status = EVP_DigestFinal_ex(copy, bytes, nil)
      precondition(status == 1, "SHA-256 failed")
    }
  }

  /// The digest of a whole message.
  public static func hash(_ bytes: UnsafeRawBufferPointer) -> Digest {
    Digest { digest in
      let status = EVP_Digest(bytes.baseAddress, bytes.count, digest, nil, algorithm, nil)
      precondition(status == 1, "SHA-256 failed")
    }
  }

  /// The digest of a whole message.
  public static func hash(_ bytes: [UInt8]) -> Digest { bytes.withUnsafeBytes { hash($0) } }

  /// The digest of a text's UTF-8 bytes.
  public static func hash(_ text: String) -> Digest {
    var text = text
    return text.withUTF8 { hash(UnsafeRawBufferPointer($0)) }
  }

  /// The digest of a file and the number of bytes read, 256 KiB in memory at a time. Blocks.
  /// - Throws: `CryptographyError` if the file cannot be opened or read.
  public static func hash(fileAtPath path: String) throws(CryptographyError) -> (digest: Digest, byteCount: Int) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { throw CryptographyError(path: path, systemError: errno) }
    defer { close(descriptor) }
    return try hash(descriptor: descriptor, name: path)
  }

  /// The digest of what an open descriptor has left to read, and the number of bytes read. Blocks.
  /// - Parameter name: stands for the file in errors.
  public static func hash(
    descriptor: Int32, name: String
  ) throws(CryptographyError) -> (digest: Digest, byteCount: Int) {
    let chunk = 262_144
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk, alignment: 64)
    defer { buffer.deallocate() }
    var hash = SHA256()
    var byteCount = 0
    while true {
      let count = read(descriptor, buffer.baseAddress, chunk)
      if count == 0 { return (hash.finalize(), byteCount) }
      if count > 0 {
        hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        byteCount += count
      } else if errno != EINTR {
        throw CryptographyError(path: name, systemError: errno)
      }
    }
  }
}

extension SHA256.Digest: RandomAccessCollection {
  /// 0.
  public var startIndex: Int { 0 }
  /// 32.
  public var endIndex: Int { Self.byteCount }
  /// One byte of the digest, in standard order.
  public subscript(position: Int) -> UInt8 { withUnsafeBytes { $0[position] } }
}
