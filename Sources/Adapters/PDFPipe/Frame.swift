/// The version of all messages in this module. A reader of another version answers the first request with
/// ``FailureReason/versionMismatch``; raise it whenever the layout of any message changes.
public let pipeVersion: UInt16 = 1

/// One message on the wire: a 32-bit little-endian payload length, a kind byte, the payload.
public struct Frame: Equatable, Sendable {
  /// Which message the payload is.
  public var kind: UInt8
  /// The message's fields.
  public var payload: ArraySlice<UInt8>

  /// Length and kind together.
  public static let headerSize = 5

  /// A frame of a kind and its payload.
  public init(kind: UInt8, payload: ArraySlice<UInt8>) {
    self.kind = kind
    self.payload = payload
  }

  /// The frame as it goes over the pipe.
  public var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Frame.headerSize + payload.count)
    withUnsafeBytes(of: UInt32(clamping: payload.count).littleEndian) { bytes.append(contentsOf: $0) }
    bytes.append(kind)
    bytes.append(contentsOf: payload)
    return bytes
  }
}

/// Cuts a byte stream, arriving in pieces of any size, into frames.
///
/// Holds at most one frame and one piece: a length above `maxPayload` is refused as soon as the header is there,
/// before any byte of the payload is stored.
public struct FrameDecoder: Sendable {
  /// Largest payload accepted, in bytes.
  public let maxPayload: Int
  private var buffer: [UInt8] = []
  private var consumed = 0

  /// A decoder that refuses payloads above `maxPayload` bytes.
  public init(maxPayload: Int) { self.maxPayload = maxPayload }

  /// Whether bytes of an unfinished frame are held: at the end of the stream, that it was cut.
  public var hasPartialFrame: Bool { consumed < buffer.count }

  /// Adds bytes as they came off the pipe.
  public mutating func append(_ bytes: some Sequence<UInt8>) {
    if consumed > 0 {
      buffer.removeSubrange(..<consumed)
      consumed = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next whole frame, or nil if more bytes are needed.
  public mutating func next() throws(PipeError) -> Frame? {
    guard buffer.count - consumed >= Frame.headerSize else { return nil }
    var header = ByteReader(buffer[consumed..<consumed + Frame.headerSize])
    let length = Int(try header.read(UInt32.self))
    let kind = try header.read(UInt8.self)
    guard length <= maxPayload else { throw .frameTooLarge(length) }
    let start = consumed + Frame.headerSize
    guard buffer.count - start >= length else { return nil }
    consumed = start + length
    return Frame(kind: kind, payload: buffer[start..<consumed])
  }
}
