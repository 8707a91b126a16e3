import HTTPAPI
import Testing

/// Holds answers against `openapi.json`.
enum Described {
  static let document: JSONValue = {
    guard let document = try? OpenAPIDocument.written() else { preconditionFailure("openapi.json is not JSON") }
    return document
  }()

  /// The object that `value` refers to, or itself.
  static func resolved(_ value: JSONValue?) -> JSONValue? {
    guard let reference = value?["$ref"]?.text else { return value }
    return reference.split(separator: "/").dropFirst().reduce(document as JSONValue?) { $0?[String($1)] }
  }

  /// The operation that a request reaches; nil when none is described.
  static func operation(_ method: String, _ target: String) -> JSONValue? {
    let path = target.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false)
    let matching = (document["paths"]?.names ?? []).filter { template in
      let parts = template.split(separator: "/", omittingEmptySubsequences: false)
      return parts.count == path.count
        && zip(parts, path).allSatisfy { part, piece in
          guard let open = part.firstIndex(of: "{"), let close = part.firstIndex(of: "}") else { return part == piece }
          return piece.hasPrefix(part[..<open]) && piece.hasSuffix(part[part.index(after: close)...])
        }
    }
    // `…/{page}.png` is more exact than `…/{page}`.
    guard let template = matching.max(by: { $0.count < $1.count }) else { return nil }
    return document["paths"]?[template]?[method.lowercased()]
  }

  /// Records an issue when the reply's status or content type is not described for this operation.
  static func check(_ method: String, _ target: String, _ reply: TestClient.Reply) {
    guard let operation = operation(method, target) else { return }
    guard let response = resolved(operation["responses"]?[String(reply.status)]) else {
      Issue.record("\(method) \(target): status \(reply.status) is not described")
      return
    }
    let type = String((reply.headers["content-type"] ?? "").prefix { $0 != ";" })
    let types = response["content"]?.names ?? []
    if types.isEmpty ? !reply.body.isEmpty : !types.contains(type) {
      Issue.record("\(method) \(target): \(reply.status) with '\(type)' is not described")
    }
    for name in response["headers"]?.names ?? [] where reply.headers[name.lowercased()] == nil {
      Issue.record("\(method) \(target): \(reply.status) has no \(name)")
    }
    guard type.hasSuffix("json"), let schema = response["content"]?[type]?["schema"] else { return }
    guard let body = try? JSONReader.read(reply.body) else {
      Issue.record("\(method) \(target): the body is not JSON")
      return
    }
    for fault in faults(body, schema, at: "body") { Issue.record("\(method) \(target): \(fault)") }
  }

  /// What keeps `value` from being what `schema` says: the keywords that openapi.json uses for answers. Members
  /// that the schema does not name are faults too, although clients must bear them.
  static func faults(_ value: JSONValue, _ schema: JSONValue, at place: String) -> [String] {
    guard let schema = resolved(schema) else { return ["\(place): the schema is missing"] }
    let types = schema["type"].map { $0.text.map { [$0] } ?? $0.elements.compactMap(\.text) } ?? []
    guard types.contains(where: { isType($0, value) }) else { return ["\(place) is \(value.kind), not \(types)"] }
    var faults: [String] = []
    if let words = schema["enum"]?.elements, !words.contains(value) { faults.append("\(place) is not in the enum") }
    for name in schema["required"]?.elements.compactMap(\.text) ?? [] where value[name] == nil {
      faults.append("\(place) has no \(name)")
    }
    if case .object(let members) = value, schema["properties"] != nil || schema["additionalProperties"] != nil {
      for member in members {
        if let property = schema["properties"]?[member.name] ?? schema["additionalProperties"] {
          faults += Self.faults(member.value, property, at: "\(place).\(member.name)")
        } else {
          faults.append("\(place).\(member.name) is not described")
        }
      }
    }
    if let items = schema["items"] {
      for (index, element) in value.elements.enumerated() {
        faults += Self.faults(element, items, at: "\(place)[\(index)]")
      }
    }
    return faults
  }

  private static func isType(_ type: String, _ value: JSONValue) -> Bool {
    switch (type, value) {
    case ("null", .null), ("boolean", .bool), ("string", .string), ("array", .array), ("object", .object),
      ("number", .number):
      true
    case ("integer", .number(let number)): number == number.rounded()
    default: false
    }
  }
}
