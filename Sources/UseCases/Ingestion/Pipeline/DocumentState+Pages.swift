import Core

extension DocumentState {
  /// Where a document with these pages stands, and why when it is not `ready`.
  static func judged(by pages: [Page], damage: String? = nil) -> (state: DocumentState, reason: String?) {
    let (state, reason) = judged(by: pages)
    guard let damage else { return (state, reason) }
    return (state == .ready ? .incomplete : state, reason.map { "\(damage) Also, \($0)." } ?? damage)
  }

  private static func judged(by pages: [Page]) -> (state: DocumentState, reason: String?) {
    var counts: [PageCoverage: Int] = [:]
    for page in pages { counts[page.coverage, default: 0] += 1 }
    let unreadable = pages.lazy.filter(\.coverage.isUnreadable).count
    if unreadable == 0, counts[.text, default: 0] > 0 { return (.ready, nil) }
    let parts = [(PageCoverage.imageOnly, "image-only"), (.garbled, "garbled"), (.missing, "not delivered")]
      .compactMap { coverage, word in counts[coverage].map { "\($0) \(word)" } }
    if counts[.text, default: 0] == 0 {
      guard unreadable > 0 else { return (.unreadable, "all of its \(pages.count) pages are empty") }
      return (.unreadable, "no page has readable text: \(parts.joined(separator: ", "))")
    }
    return (.incomplete, "\(unreadable) of \(pages.count) pages cannot be read: \(parts.joined(separator: ", "))")
  }
}
