package import Core

/// The states of a document's pages for people: a line for each state and reason, with the pages it holds for.
package enum PageLedgerText {
  /// `pages 1–12, 15 (printed i–xii, 3): text`, in the order of first pages. Reasons that differ only in their
  /// numbers share a line, which gives the span of each number.
  package static func lines(_ pages: [PageState]) -> [String] {
    var order: [String] = []
    var groups: [String: [PageState]] = [:]
    for page in pages {
      let key = page.coverage.rawValue + parts(note(page) ?? "").map { $0.number == nil ? $0.text : "#" }.joined()
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(page)
    }
    return order.map { key in
      let group = groups[key] ?? []
      let reason = merged(group.compactMap(note))
      return place(group) + ": " + (group.first?.coverage.rawValue ?? "") + (reason.isEmpty ? "" : " – \(reason)")
    }
  }

  /// Why a page has no text, or where the text is from when that is not the file.
  private static func note(_ page: PageState) -> String? {
    guard let mark = page.recognition else { return page.reason }
    let source = "read from the image by \(mark.recognizer), confidence \(Int((mark.confidence * 100).rounded()))%"
    return page.reason.map { "\($0); \(source)" } ?? source
  }

  private static func place(_ pages: [PageState]) -> String {
    var runs: [(first: PageState, last: PageState)] = []
    for page in pages {
      if let last = runs.last, last.last.page + 1 == page.page, (last.last.label == nil) == (page.label == nil) {
        runs[runs.count - 1].last = page
      } else {
        runs.append((page, page))
      }
    }
    let numbers = runs.map { $0.first.page == $0.last.page ? "\($0.first.page)" : "\($0.first.page)–\($0.last.page)" }
    let labels = runs.compactMap { run -> String? in
      guard let first = run.first.label, let last = run.last.label else { return nil }
      return first == last ? first : "\(first)–\(last)"
    }
    return (pages.count == 1 ? "page " : "pages ") + numbers.joined(separator: ", ")
      + (labels.isEmpty ? "" : " (printed \(labels.joined(separator: ", ")))")
  }

  private static func merged(_ reasons: [String]) -> String {
    guard let first = reasons.first else { return "" }
    let all = reasons.map(parts)
    return parts(first).indices.map { index -> String in
      let values = all.compactMap { index < $0.count ? $0[index].number : nil }
      guard let least = values.min(), let most = values.max() else { return parts(first)[index].text }
      return least == most ? "\(least)" : "\(least)–\(most)"
    }.joined()
  }

  /// The text cut into numbers and what stands between.
  private static func parts(_ text: String) -> [(text: String, number: Int?)] {
    var result: [(text: String, number: Int?)] = []
    var rest = Substring(text)
    while let first = rest.first {
      let isNumber = first.isASCII && first.isNumber
      let part = rest.prefix { ($0.isASCII && $0.isNumber) == isNumber }
      result.append((String(part), isNumber ? Int(part) : nil))
      rest = rest.dropFirst(part.count)
    }
    return result
  }
}
