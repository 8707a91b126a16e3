/// Builds the text that is embedded: title and headings, a table's header row, then the text as cited.
struct EmbeddedText {
  let title: String?
  let settings: ChunkingSettings
  let budget: Int
  let measure: (String) -> Int

  /// The most a prefix may take, with its line end.
  var longestPrefix: Int { Int(Double(budget) * settings.prefixShare) }

  /// What to keep free beside the text of a chunk that `unit` would join.
  func reserve(for unit: FlowUnit) -> Int {
    settings.prefix == .none && unit.tableHeader == nil ? 0 : longestPrefix
  }

  /// The embedded form of `text`, never longer than the budget unless `text` itself is.
  func text(_ text: String, headings: [String], tableHeader: String?) -> String {
    var result = fitting(text)
    if let tableHeader, measure(tableHeader) <= longestPrefix / 2, measure(tableHeader + "\n" + result) <= budget {
      result = tableHeader + "\n" + result
    }
    guard let prefix = prefix(headings: headings, text: text) else { return result }
    let whole = prefix + "\n" + result
    return measure(whole) <= budget ? whole : result
  }

  /// `text` cut at a word until it fits: only where a tokenizer counts a whole longer than its parts.
  private func fitting(_ text: String) -> String {
    var result = Substring(text)
    while measure(String(result)) > budget, let space = result.lastIndex(where: \.isWhitespace) {
      result = result[..<space]
    }
    return String(result)
  }

  private func prefix(headings: [String], text: String) -> String? {
    // A heading that opens the chunk's text is not said twice.
    let above = headings.filter { !text.hasPrefix($0) }
    var parts: [String]
    switch settings.prefix {
    case .none: return nil
    case .headings: parts = above
    case .titleAndHeadings: parts = (title.map { $0 == above.first ? [] : [$0] } ?? []) + above
    }
    while !parts.isEmpty, measure(parts.joined(separator: " \u{2014} ")) > longestPrefix {
      // The title and the innermost heading say most: the ones between go first.
      parts.remove(at: parts.count > 2 ? 1 : 0)
    }
    return parts.isEmpty ? nil : parts.joined(separator: " \u{2014} ")
  }

  /// The title of the metadata, unless it is a word processor's leftover; then nil.
  static func usableTitle(_ title: String?, fileName: String) -> String? {
    guard var title else { return nil }
    for leftover in ["Microsoft Word - ", "Microsoft PowerPoint - "] where title.hasPrefix(leftover) {
      title.removeFirst(leftover.count)
    }
    title = title.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let lower = title.lowercased()
    let letters = title.unicodeScalars.lazy.filter(\.properties.isAlphabetic).count
    let looksLikeFile = [".doc", ".docx", ".pdf", ".tex", ".dvi", ".indd", ".qxd", ".fm", ".rtf", ".ps"]
      .contains { lower.hasSuffix($0) }
    guard letters >= 4, letters * 2 > title.unicodeScalars.count, !looksLikeFile, lower != "untitled",
      lower != fileName.lowercased()
    else { return nil }
    return title
  }
}
