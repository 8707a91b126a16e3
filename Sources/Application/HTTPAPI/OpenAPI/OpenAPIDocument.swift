/// The description of the interface: `openapi.json`, written by hand and embedded, with what only the running
/// service knows filled in. A test holds routes and wire types against it.
package enum OpenAPIDocument {
  /// The document as written.
  package static func written() throws(JSONFault) -> JSONValue { try JSONReader.read(PackageResources.openapi_json) }

  /// The document of this service, compact.
  /// - Parameters:
  ///   - version: The version of Quarry.
  ///   - questionCharacters: Most characters of a question.
  static func bytes(version: String, questionCharacters: Int) -> [UInt8] {
    guard var document = try? written() else { preconditionFailure("openapi.json is not JSON") }
    document.replace(at: ["info", "version"], with: .string(version))
    for request in ["QueryRequest", "SearchRequest"] {
      document.replace(
        at: ["components", "schemas", request, "properties", "question", "maxLength"],
        with: .number(Double(questionCharacters)))
    }
    return document.encoded
  }
}

extension JSONValue {
  /// Replaces the member at a path of names, keeping its place; does nothing when there is none.
  mutating func replace(at path: some Collection<String>, with value: JSONValue) {
    guard let name = path.first else {
      self = value
      return
    }
    guard case .object(var members) = self, let place = members.firstIndex(where: { $0.name == name }) else { return }
    members[place].value.replace(at: path.dropFirst(), with: value)
    self = .object(members)
  }
}
