/// Why bytes could not be read as a message.
///
/// The peer may be a process that a hostile document has taken over, so each of these is an ordinary outcome: the
/// connection ends, nothing traps, and nothing is allocated that the bytes received do not pay for.
public enum PipeError: Error, Equatable, Sendable {
  /// The payload ended before the message did.
  case truncated
  /// The payload goes on after the message.
  case trailingBytes
  /// A frame announces a length above the receiver's limit, in bytes.
  case frameTooLarge(Int)
  /// The kind byte is none of the known ones.
  case unknownKind(UInt8)
  /// The peer speaks another version of these messages.
  case versionMismatch(UInt16)
  /// A value is outside its range: an unknown enumeration value, text that is not UTF-8, boxes that do not match the
  /// text. The text names the field.
  case invalid(String)
}

/// Appends fixed-width little-endian integers and length-prefixed fields to a byte array.
public struct ByteWriter: Sendable {
  /// What was written so far.
  public private(set) var bytes: [UInt8] = []

  /// An empty writer with room for `capacity` bytes.
  public init(capacity: Int = 64) { bytes.reserveCapacity(capacity) }

  /// Appends an integer, least significant byte first.
  public mutating func write<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends one byte: 1 for true, 0 for false.
  public mutating func write(_ value: Bool) { bytes.append(value ? 1 : 0) }

  /// Appends the IEEE 754 bit pattern.
  public mutating func write(_ value: Double) { write(value.bitPattern) }

  /// Appends the IEEE 754 bit pattern.
  public mutating func write(_ value: Float) { write(value.bitPattern) }

  /// Appends a 32-bit length and the UTF-8 bytes.
  public mutating func write(_ value: String) {
    var value = value
    value.withUTF8 { write(bytes: $0) }
  }

  /// Appends a 32-bit length and the bytes.
  public mutating func write(_ value: [UInt8]) { value.withUnsafeBufferPointer { write(bytes: $0) } }

  /// Appends a 32-bit element count and the elements' bytes in the machine's order, which every supported machine
  /// (x86-64, arm64) has little-endian.
  public mutating func write<T: FixedWidthInteger & BitwiseCopyable>(array: [T]) {
    write(UInt32(clamping: array.count))
    array.withUnsafeBytes { bytes.append(contentsOf: $0) }
  }

  /// Appends a presence byte, then the value if there is one.
  public mutating func write<T>(optional value: T?, _ body: (inout ByteWriter, T) -> Void) {
    write(value != nil)
    if let value { body(&self, value) }
  }

  private mutating func write(bytes value: UnsafeBufferPointer<UInt8>) {
    write(UInt32(clamping: value.count))
    bytes.append(contentsOf: value)
  }
}

/// Reads what ``ByteWriter`` wrote. Every read is checked against the bytes that are left, and no count read from
/// the wire reserves memory before the bytes behind it are known to be there.
public struct ByteReader: Sendable {
  private let bytes: ArraySlice<UInt8>
  private var position: Int

  /// A reader at the start of `bytes`.
  public init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  /// How many bytes are left.
  public var remaining: Int { bytes.endIndex - position }

  /// Throws ``PipeError/trailingBytes`` unless all was read.
  public func finish() throws(PipeError) {
    if remaining != 0 { throw .trailingBytes }
  }

  /// Reads an integer, least significant byte first.
  public mutating func read<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type = T.self
  ) throws(PipeError) -> T {
    let raw = try take(MemoryLayout<T>.size)
    let value = raw.withUnsafeBytes { $0.loadUnaligned(as: T.self) }
    return T(littleEndian: value)
  }

  /// Reads one byte that must be 0 or 1.
  public mutating func readBool(_ field: String) throws(PipeError) -> Bool {
    switch try read(UInt8.self) {
    case 0: return false
    case 1: return true
    default: throw .invalid(field)
    }
  }

  /// Reads a number that must be finite.
  public mutating func readDouble(_ field: String) throws(PipeError) -> Double {
    let value = Double(bitPattern: try read(UInt64.self))
    guard value.isFinite else { throw .invalid(field) }
    return value
  }

  /// Reads a number that must be finite.
  public mutating func readFloat(_ field: String) throws(PipeError) -> Float {
    let value = Float(bitPattern: try read(UInt32.self))
    guard value.isFinite else { throw .invalid(field) }
    return value
  }

  /// Reads length-prefixed text that must be valid UTF-8.
  public mutating func readString(_ field: String) throws(PipeError) -> String {
    let raw = try take(try readCount(elementSize: 1))
    guard let text = String(validating: raw, as: UTF8.self) else { throw .invalid(field) }
    return text
  }

  /// Reads length-prefixed bytes.
  public mutating func readBytes() throws(PipeError) -> [UInt8] {
    [UInt8](try take(try readCount(elementSize: 1)))
  }

  /// Reads a count-prefixed array of integers.
  public mutating func readArray<T: FixedWidthInteger & BitwiseCopyable>(
    of type: T.Type
  ) throws(PipeError) -> [T] {
    let count = try readCount(elementSize: MemoryLayout<T>.size)
    let raw = try take(count * MemoryLayout<T>.size)
    return [T](unsafeUninitializedCapacity: count) { buffer, initialized in
      raw.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
      initialized = count
    }
  }

  /// Reads a presence byte, then the value if there is one.
  public mutating func readOptional<T>(
    _ field: String, _ body: (inout ByteReader) throws(PipeError) -> T
  ) throws(PipeError) -> T? {
    try readBool(field) ? try body(&self) : nil
  }

  /// Reads an element count and checks that `count × elementSize` bytes follow, so that a later loop or reservation
  /// is bounded by what was received.
  public mutating func readCount(elementSize: Int) throws(PipeError) -> Int {
    let count = Int(try read(UInt32.self))
    guard count <= remaining / elementSize else { throw .truncated }
    return count
  }

  private mutating func take(_ count: Int) throws(PipeError) -> ArraySlice<UInt8> {
    guard count <= remaining else { throw .truncated }
    defer { position += count }
    return bytes[position..<position + count]
  }
}
