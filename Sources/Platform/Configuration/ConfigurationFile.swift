import Glibc

/// A configuration file that was read and parsed.
public struct ConfigurationFile: Sendable {
  /// What messages call it, usually its path.
  public let name: String
  /// What it holds; nil when it is empty or only comments.
  public let root: YAMLNode?

  /// Parses text.
  ///
  /// - Throws: `configuration.syntax` for text outside the YAML subset, or whose top level is no map.
  public init(name: String, text: String) throws(ConfigurationError) {
    try self.init(name: name, bytes: Array(text.utf8))
  }

  /// Reads and parses a file.
  ///
  /// - Parameter name: what messages call it; the path when nil.
  /// - Throws: `configuration.unreadable` when it cannot be read, `configuration.syntax` as above.
  public init(path: String, name: String? = nil) throws(ConfigurationError) {
    let bytes: [UInt8]
    do {
      // One byte more than the limit lets the parser name the place.
      bytes = try readBytes(ofFile: path, atMost: nil)
    } catch {
      throw ConfigurationError(
        code: "configuration.unreadable", message: "\(path): \(error.reason)",
        remedy: "Name a readable YAML file.", underlying: error)
    }
    try self.init(name: name ?? path, bytes: bytes)
  }

  private init(name: String, bytes: [UInt8]) throws(ConfigurationError) {
    self.name = name
    root = try YAMLNode.parse(bytes: bytes, name: name)
    if let root, case .map = root.content { return }
    if let root { throw .syntax("the file must be a map of keys, not \(root.summary)", in: name, at: root.mark) }
  }
}

/// Why a file could not be read.
public struct FileReadError: Error {
  /// The system's words, or that the file is too long.
  public let reason: String
}

/// Reads a regular file, pipe or device to its end.
///
/// - Parameter limit: more bytes are an error; nil reads one byte beyond YAML's limit and stops.
/// - Throws: ``FileReadError``.
public func readBytes(ofFile path: String, atMost limit: Int?) throws(FileReadError) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw FileReadError(reason: String(cString: strerror(errno))) }
  defer { close(descriptor) }
  let capacity = (limit ?? YAMLNode.maximumBytes) + 1
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 64 << 10)
  while bytes.count < capacity {
    let count = read(descriptor, &buffer, min(buffer.count, capacity - bytes.count))
    if count == 0 { break }
    if count < 0 {
      if errno == EINTR { continue }
      throw FileReadError(reason: String(cString: strerror(errno)))
    }
    bytes += buffer.prefix(count)
  }
  if let limit, bytes.count > limit { throw FileReadError(reason: "the file is longer than \(limit) bytes") }
  return bytes
}
