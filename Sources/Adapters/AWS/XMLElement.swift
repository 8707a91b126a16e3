import CXML

/// An element of a small XML answer (S3, STS, SQS): its name without prefix, its text, its children.
///
/// Parsed by libxml2 without network access, external entities or documents of unlimited depth.
struct XMLElement: Sendable, Hashable {
  let name: String
  /// The text directly in it; white space as it stands.
  let text: String
  let children: [XMLElement]

  /// The root element of a document; nil when it is not well-formed.
  static func parse(_ bytes: [UInt8]) -> XMLElement? {
    let options = Int32(XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue)
    let document = bytes.withUnsafeBytes { raw in
      xmlReadMemory(raw.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(clamping: raw.count), nil, nil, options)
    }
    guard let document else { return nil }
    defer { xmlFreeDoc(document) }
    return xmlDocGetRootElement(document).flatMap { XMLElement($0, depth: 0) }
  }

  private init?(_ node: xmlNodePtr, depth: Int) {
    guard depth < 64 else { return nil }
    name = String(cString: node.pointee.name)
    var text = ""
    var children: [XMLElement] = []
    var next = node.pointee.children
    while let child = next {
      switch child.pointee.type {
      case XML_ELEMENT_NODE: if let element = XMLElement(child, depth: depth + 1) { children.append(element) }
      case XML_TEXT_NODE, XML_CDATA_SECTION_NODE:
        if let content = child.pointee.content { text += String(cString: content) }
      default: break
      }
      next = child.pointee.next
    }
    self.text = text
    self.children = children
  }

  /// The first child of a name.
  subscript(name: String) -> XMLElement? { children.first { $0.name == name } }

  /// All children of a name.
  func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

  /// The first element of a name, however deep.
  func first(_ wanted: String) -> XMLElement? {
    if name == wanted { return self }
    for child in children {
      if let found = child.first(wanted) { return found }
    }
    return nil
  }
}
