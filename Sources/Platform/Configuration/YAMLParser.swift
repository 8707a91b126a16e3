import CYAML

extension YAMLNode {
  /// The deepest nesting of lists and maps that is read.
  public static let maximumDepth = 32
  /// The longest text that is read, in bytes.
  public static let maximumBytes = 1 << 20

  /// Parses YAML text, or returns nil when it holds nothing.
  ///
  /// - Parameter name: what messages call the text: a file's path, or an environment variable.
  /// - Throws: `configuration.syntax` with line and column for text that is no YAML or goes beyond the subset: no
  ///   anchors, aliases, tags, directives, duplicate keys, keys that are no scalars, second documents or tabs.
  public static func parse(_ text: String, name: String) throws(ConfigurationError) -> YAMLNode? {
    try parse(bytes: Array(text.utf8), name: name)
  }

  /// Parses YAML in UTF-8; see `parse(_:name:)`. Bytes that are no UTF-8 are a syntax error too.
  public static func parse(bytes: [UInt8], name: String) throws(ConfigurationError) -> YAMLNode? {
    if bytes.count > maximumBytes {
      throw .syntax(
        "the text is longer than \(maximumBytes) bytes", in: name, at: mark(ofByte: maximumBytes, in: bytes))
    }
    if let tab = bytes.firstIndex(of: UInt8(ascii: "\t")) {
      throw .syntax(
        "tab character; indent and separate with spaces (a tab in a value is written \"\\t\")", in: name,
        at: mark(ofByte: tab, in: bytes))
    }
    return try EventReader(bytes: bytes, name: name).document()
  }

  fileprivate static func mark(ofByte offset: Int, in bytes: [UInt8]) -> Mark {
    let before = bytes.prefix(offset)
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return Mark(
      line: before.count { $0 == UInt8(ascii: "\n") } + 1,
      // Continuation bytes of UTF-8 begin no scalar.
      column: before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1)
  }
}

/// Reads libyaml's events into nodes and refuses what the subset leaves out before anything is expanded.
private final class EventReader {
  private enum Event {
    case documentStart, documentEnd, streamEnd, listEnd, mapEnd, other
    case scalar(String, isPlain: Bool)
    case listStart, mapStart
  }

  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let input: UnsafeMutableBufferPointer<UInt8>
  private let bytes: [UInt8]
  private let name: String
  private var mark = YAMLNode.Mark(line: 1, column: 1)

  init(bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
    // libyaml keeps the pointer between calls, so the bytes need an address that stays.
    input = .allocate(capacity: max(bytes.count, 1))
    _ = input.initialize(from: bytes)
    parser = .allocate(capacity: 1)
    parser.initialize(to: yaml_parser_t())
    yaml_parser_initialize(parser)
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
    input.deallocate()
  }

  func document() throws(ConfigurationError) -> YAMLNode? {
    _ = try next()  // stream start
    guard case .documentStart = try next() else { return nil }
    let root = try node(from: try next(), depth: 0)
    _ = try next()  // document end
    if case .documentStart = try next() {
      throw refused("a second document ('---') is not read; keep one")
    }
    return root.isEmpty ? nil : root
  }

  private func node(from event: Event, depth: Int) throws(ConfigurationError) -> YAMLNode {
    let start = mark
    switch event {
    case .scalar(let text, let isPlain): return YAMLNode(.scalar(text, isPlain: isPlain), at: start)
    case .listStart:
      try checkDepth(depth)
      var items: [YAMLNode] = []
      while true {
        let event = try next()
        if case .listEnd = event { return YAMLNode(.list(items), at: start) }
        items.append(try node(from: event, depth: depth + 1))
      }
    case .mapStart:
      try checkDepth(depth)
      return YAMLNode(.map(try entries(depth: depth)), at: start)
    default: throw refused("a value is missing")
    }
  }

  private func entries(depth: Int) throws(ConfigurationError) -> [YAMLNode.Entry] {
    var entries: [YAMLNode.Entry] = []
    var lines: [String: Int] = [:]
    while true {
      let event = try next()
      if case .mapEnd = event { return entries }
      let start = mark
      guard case .scalar(let key, _) = event else { throw refused("a key must be a word, not a list or a map") }
      if let line = lines.updateValue(start.line, forKey: key) {
        throw refused("\(key): duplicate key; it is set in line \(line) already")
      }
      let value = try node(from: try next(), depth: depth + 1)
      entries.append(YAMLNode.Entry(key: key, mark: start, value: value))
    }
  }

  private func checkDepth(_ depth: Int) throws(ConfigurationError) {
    if depth >= YAMLNode.maximumDepth {
      throw refused("nested deeper than \(YAMLNode.maximumDepth) levels")
    }
  }

  private func refused(_ message: String) -> ConfigurationError {
    .syntax(message, in: name, at: mark)
  }

  private func next() throws(ConfigurationError) -> Event {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else { throw parseError() }
    defer { yaml_event_delete(&event) }
    mark = YAMLNode.Mark(line: Int(event.start_mark.line) + 1, column: Int(event.start_mark.column) + 1)
    switch event.type {
    case YAML_STREAM_END_EVENT: return .streamEnd
    case YAML_DOCUMENT_START_EVENT:
      let start = event.data.document_start
      if start.version_directive != nil || start.tag_directives.start != start.tag_directives.end {
        throw refused("directives ('%') are not read")
      }
      return .documentStart
    case YAML_DOCUMENT_END_EVENT: return .documentEnd
    case YAML_ALIAS_EVENT: throw refused("aliases ('*') are not read; write the value out")
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      try refuse(anchor: scalar.anchor, tag: scalar.tag)
      let text = String(
        decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      return .scalar(text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
    case YAML_SEQUENCE_START_EVENT:
      try refuse(anchor: event.data.sequence_start.anchor, tag: event.data.sequence_start.tag)
      return .listStart
    case YAML_SEQUENCE_END_EVENT: return .listEnd
    case YAML_MAPPING_START_EVENT:
      try refuse(anchor: event.data.mapping_start.anchor, tag: event.data.mapping_start.tag)
      return .mapStart
    case YAML_MAPPING_END_EVENT: return .mapEnd
    default: return .other
    }
  }

  private func refuse(
    anchor: UnsafeMutablePointer<yaml_char_t>?, tag: UnsafeMutablePointer<yaml_char_t>?
  ) throws(ConfigurationError) {
    if anchor != nil { throw refused("anchors ('&') are not read; write the value out") }
    if tag != nil { throw refused("tags ('!') are not read; the key decides the type") }
  }

  private func parseError() -> ConfigurationError {
    let problem = parser.pointee.problem.map { String(cString: $0) } ?? "not readable as YAML"
    if parser.pointee.error == YAML_READER_ERROR {
      // The reader knows a byte offset, not a mark.
      return .syntax(problem, in: name, at: YAMLNode.mark(ofByte: parser.pointee.problem_offset, in: bytes))
    }
    let place = parser.pointee.problem_mark
    let context = parser.pointee.context.map { " (\(String(cString: $0)))" } ?? ""
    return .syntax(
      problem + context, in: name, at: YAMLNode.Mark(line: Int(place.line) + 1, column: Int(place.column) + 1))
  }
}
