import CZlib

/// Compresses a stream of bytes piece by piece.
///
/// The output is the same for the same input and level: gzip headers carry no time and no name.
public final class Compressor {
  private let stream: UnsafeMutablePointer<z_stream>
  private var isFinished = false

  /// Begins a stream.
  /// - Parameter level: 1 (fast) to 9 (small); 0 stores. 6 is zlib's default and a good compromise.
  public init(_ format: CompressionFormat = .gzip, level: Int = 6) {
    // zlib keeps a pointer back to the structure, so its address must not change.
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let status = deflateInit2_(
      stream, Int32(min(max(level, 0), 9)), Z_DEFLATED, format.windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib cannot start (out of memory)")
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  /// Adds bytes and returns the output that is ready, often none.
  public func compress(_ bytes: UnsafeRawBufferPointer) -> [UInt8] { run(bytes, Z_NO_FLUSH) }

  /// Adds bytes and returns the output that is ready, often none.
  public func compress(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { compress($0) } }

  /// Everything so far, such that a reader gets it all now. Costs compression: use it seldom.
  public func flush() -> [UInt8] { run(UnsafeRawBufferPointer(start: nil, count: 0), Z_SYNC_FLUSH) }

  /// Ends the stream and returns the rest of the output. Nothing may be added after.
  public func finish() -> [UInt8] {
    if isFinished { return [] }
    defer { isFinished = true }
    return run(UnsafeRawBufferPointer(start: nil, count: 0), Z_FINISH)
  }

  private func run(_ bytes: UnsafeRawBufferPointer, _ flush: Int32) -> [UInt8] {
    precondition(!isFinished, "the stream is finished")
    var output: [UInt8] = []
    var rest = bytes
    repeat {
      // zlib counts in 32 bits.
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: piece.baseAddress?.assumingMemoryBound(to: Bytef.self))
      stream.pointee.avail_in = UInt32(piece.count)
      let flush = rest.isEmpty ? flush : Z_NO_FLUSH
      repeat {
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { buffer in
          stream.pointee.next_out = buffer.baseAddress!.assumingMemoryBound(to: Bytef.self)
          stream.pointee.avail_out = UInt32(buffer.count)
          let status = deflate(stream, flush)
          // Z_BUF_ERROR: nothing was left to do, as after a flush that filled the buffer exactly.
          precondition(status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR, "zlib failed")
          output += buffer[..<(buffer.count - Int(stream.pointee.avail_out))]
        }
      } while stream.pointee.avail_out == 0
    } while !rest.isEmpty
    stream.pointee.next_in = nil
    return output
  }
}

/// Compresses bytes all at once; see `Compressor`.
public func compress(_ bytes: [UInt8], _ format: CompressionFormat = .gzip, level: Int = 6) -> [UInt8] {
  let compressor = Compressor(format, level: level)
  return compressor.compress(bytes) + compressor.finish()
}
