/// A file in the format of `~/.aws/config` and `~/.aws/credentials`.
///
/// Source: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html. Nested settings (`s3 =` and indented lines)
/// are kept as `s3.addressing_style`.
struct ProfileFile: Sendable, Hashable {
  /// Settings by the section's title as written, such as `profile dev`, `sso-session corp`, `default`.
  private(set) var sections: [String: [String: String]] = [:]

  init(_ text: String) {
    var section: String?
    var parent: String?
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      let isIndented = line.first == " " || line.first == "\t"
      let content = Self.withoutComment(line)
      if content.isEmpty { continue }
      if !isIndented, content.first == "[", let end = content.firstIndex(of: "]") {
        let words = content[content.index(after: content.startIndex)..<end].split { $0 == " " || $0 == "\t" }
        section = words.joined(separator: " ")
        parent = nil
        continue
      }
      guard let section, let equals = content.firstIndex(of: "=") else { continue }
      let key = Self.trimmed(content[..<equals]).lowercased()
      let value = Self.trimmed(content[content.index(after: equals)...])
      if isIndented, let parent {
        sections[section, default: [:]]["\(parent).\(key)"] = value
      } else {
        parent = value.isEmpty ? key : nil
        if !value.isEmpty { sections[section, default: [:]][key] = value }
      }
    }
  }

  private static func withoutComment(_ line: Substring) -> Substring {
    let text = trimmed(line)[...]
    if text.first == "#" || text.first == ";" { return "" }
    // Inside a line a comment begins only after white space: values may hold '#'.
    var previous: Character = "x"
    for index in text.indices {
      if text[index] == "#" || text[index] == ";", previous == " " || previous == "\t" {
        return trimmed(text[..<index])[...]
      }
      previous = text[index]
    }
    return text
  }

  private static func trimmed(_ text: Substring) -> String {
    let start = text.drop { $0 == " " || $0 == "\t" }
    let end = start.lastIndex { $0 != " " && $0 != "\t" }
    return end.map { String(start[...$0]) } ?? ""
  }
}
