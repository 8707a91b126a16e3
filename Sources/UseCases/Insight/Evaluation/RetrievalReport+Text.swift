extension RetrievalReport {
  /// The report as aligned lines: counts, a table of measures with intervals, and one of kinds.
  public var text: String {
    var lines = [name, countLine]
    var rows = [["measure", "value", "95 % interval", "questions"]]
    for (name, measure) in measures.named where measure.value != nil {
      let count = name == "refused_unanswerable" ? measures.unanswerable : measures.answerable
      rows.append([name, measure.value.threeDigits, measure.interval, String(count)])
    }
    lines += TextTable.lines(rows, left: [0])
    if byKind.count > 1 { lines += [""] + TextTable.lines(kindRows, left: [0]) }
    lines.append("")
    return (sets.map(\.text) + [lines.joined(separator: "\n")]).joined(separator: "\n")
  }

  private var countLine: String {
    var line =
      "\(questions) questions: \(measures.answerable) answerable, \(measures.unanswerable) unanswerable"
    if unjudged > 0 { line += ", \(unjudged) not judged because their documents are not in the index" }
    return line + "; \(seconds.fixed(1)) s"
  }

  private var kindRows: [[String]] {
    [["kind", "questions", "hit@1", "hit@5", "hit@10", "mrr", "ndcg@10", "refused"]]
      + byKind.map { kind, measures in
        // The kind of unanswerable questions has refusals only; a mixed kind shows those of its answerable ones.
        let refused = measures.answerable > 0 ? measures.refusedAnswerable : measures.refusedUnanswerable
        return [kind, String(measures.answerable + measures.unanswerable)]
          + [
            measures.pageHitAt1, measures.pageHitAt5, measures.pageHitAt10, measures.reciprocalRank,
            measures.gainAt10, refused,
          ].map(\.value.threeDigits)
      }
  }

  /// The answerable questions without a right page among the first `depth`, one a line.
  public func misses(beyond depth: Int) -> [String] {
    results.filter { $0.judgement == .answerable && ($0.rank ?? .max) > depth }.map { result in
      "\(result.id)  rank \(result.rank.map(String.init) ?? "none")  \(result.question)"
    }
  }
}

extension Measure {
  /// Both ends, as `.123–.456`.
  var interval: String { low == nil ? "" : "\(low.threeDigits)–\(high.threeDigits)" }
}

/// Columns as wide as their widest cell.
enum TextTable {
  /// The rows as lines; columns of `left` are aligned left, others right.
  static func lines(_ rows: [[String]], left: Set<Int>) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return left.contains(column) ? cell + space : space + cell
      }
      var line = cells.joined(separator: "  ")[...]
      while line.last == " " { line = line.dropLast() }
      return String(line)
    }
  }
}

extension Double {
  /// The number with `digits` digits after the point.
  func fixed(_ digits: Int) -> String {
    guard isFinite else { return "–" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let whole = (magnitude * scale).rounded()
    guard whole < 1e15 else { return String(self) }
    let number = Int(whole)
    let sign = self < 0 && number > 0 ? "−" : ""
    guard digits > 0 else { return sign + String(number) }
    let text = String(repeating: "0", count: max(0, digits + 1 - String(number).count)) + String(number)
    return sign + text.dropLast(digits) + "." + text.suffix(digits)
  }
}

extension Double? {
  /// Three digits after the point, or a dash.
  var threeDigits: String { map { $0.fixed(3) } ?? "–" }
}
