import CZlib

/// Decompresses a stream of bytes piece by piece, with a bound on what comes out: a megabyte can hold a gigabyte.
public final class Decompressor {
  private enum Position {
    /// Nothing of a member has been read.
    case beforeFirst
    case inside
    /// A member has ended; gzip allows another one.
    case between
  }

  private let stream: UnsafeMutablePointer<z_stream>
  private let format: CompressionFormat
  private let limit: Int
  private var position = Position.beforeFirst
  private var isPadding = false
  private var failure: CompressionError?

  /// The bytes that came out so far.
  public private(set) var byteCount = 0
  /// Where in the input the current member began, in bytes: where to look on from after damage.
  public private(set) var memberStart = 0
  /// The bytes of earlier pieces.
  private var inputCount = 0

  /// Begins a stream.
  /// - Parameter limit: bytes that may come out in total, all members together.
  public init(_ format: CompressionFormat = .gzip, limit: Int) {
    self.format = format
    self.limit = limit
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let status = inflateInit2_(stream, format.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib cannot start (out of memory)")
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Whether the data may end here: at least one member is complete, and none is open.
  public var isComplete: Bool { position == .between && failure == nil }

  /// Adds compressed bytes and gives the content to `body` in pieces of at most 64 KiB, valid only inside it.
  ///
  /// Content given before an error is right as far as it goes, unless a checksum failed at the end.
  /// - Throws: `CompressionError`, then and at every later call; what `body` throws, after which the stream is lost.
  public func decompress(
    _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    if let failure { throw failure }
    // Left in place if `body` throws: the output it did not take cannot be had again.
    failure = CompressionError(code: .corrupt, message: "an earlier piece was not taken")
    do {
      var rest = bytes
      while !rest.isEmpty {
        let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
        try decompress(piece: piece, body)
      }
      failure = nil
    } catch let error as CompressionError {
      failure = error
      throw error
    }
  }

  /// Adds compressed bytes and returns the content they complete.
  /// - Throws: `CompressionError`, then and at every later call.
  public func decompress(_ bytes: [UInt8]) throws -> [UInt8] {
    var output: [UInt8] = []
    try bytes.withUnsafeBytes { bytes in try decompress(bytes) { output += $0 } }
    return output
  }

  /// States that there is no more data.
  /// - Throws: `CompressionError` with code `truncated` if it ended too early.
  public func finish() throws(CompressionError) {
    if let failure { throw failure }
    if !isComplete { throw CompressionError(code: .truncated, message: "the compressed data ends too early") }
  }

  private func decompress(piece: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    stream.pointee.next_in = UnsafeMutablePointer(mutating: piece.baseAddress!.assumingMemoryBound(to: Bytef.self))
    stream.pointee.avail_in = UInt32(piece.count)
    defer {
      stream.pointee.next_in = nil
      inputCount += piece.count
    }
    repeat {
      if position == .between, try !beginNextMember() { return }
      if position != .inside { memberStart = inputCount + piece.count - Int(stream.pointee.avail_in) }
      position = .inside
      try withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { buffer in
        stream.pointee.next_out = buffer.baseAddress!.assumingMemoryBound(to: Bytef.self)
        stream.pointee.avail_out = UInt32(buffer.count)
        let status = inflate(stream, Z_NO_FLUSH)
        let count = buffer.count - Int(stream.pointee.avail_out)
        byteCount += count
        if byteCount > limit {
          throw CompressionError(code: .tooLarge, message: "the content is larger than \(limit) bytes")
        }
        if count > 0 { try body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
        switch status {
        case Z_OK: break
        case Z_BUF_ERROR: break  // All input is used and all output given.
        case Z_STREAM_END: position = .between
        default:
          let reason = stream.pointee.msg.map { String(cString: $0) } ?? "it needs a dictionary"
          throw CompressionError(code: .corrupt, message: "the compressed data is damaged (\(reason))")
        }
      }
    } while stream.pointee.avail_in > 0 || (position == .inside && stream.pointee.avail_out == 0)
  }

  /// Looks at what follows a member. False if all of it is padding with zeros, which `tar` and tapes leave (gzip's
  /// manual allows it).
  private func beginNextMember() throws -> Bool {
    guard format == .gzip else {
      throw CompressionError(code: .trailingData, message: "something follows the compressed data")
    }
    while stream.pointee.avail_in > 0, stream.pointee.next_in.pointee == 0 {
      stream.pointee.next_in += 1
      stream.pointee.avail_in -= 1
      isPadding = true
    }
    if stream.pointee.avail_in == 0 { return false }
    if isPadding { throw CompressionError(code: .trailingData, message: "something follows the compressed data") }
    inflateReset(stream)
    return true
  }
}

/// Decompresses bytes all at once; see `Decompressor`.
/// - Throws: `CompressionError`.
public func decompress(_ bytes: [UInt8], _ format: CompressionFormat = .gzip, limit: Int) throws -> [UInt8] {
  let decompressor = Decompressor(format, limit: limit)
  let content = try decompressor.decompress(bytes)
  try decompressor.finish()
  return content
}
