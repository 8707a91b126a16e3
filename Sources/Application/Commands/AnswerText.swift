import ArgumentParsing
import Core

/// Answers and passages as text for people.
enum AnswerText {
  static func render(_ answer: Answer, _ context: CommandContext, isQuiet: Bool) -> String {
    var lines: [String] = []
    lines.append(singleLine(marked(answer), keepingLines: true))
    if !answer.citations.isEmpty {
      lines.append("")
      for citation in answer.citations {
        let mark =
          (citation.recognition.map { " (read from the image by \(singleLine($0.recognizer)))" } ?? "")
          + (citation.isVerified ? "" : " (not verified)")
        lines.append("[\(citation.number)] \(place(citation.document.name, citation.pages))\(mark)")
      }
    }
    if answer.sentences.contains(where: { !$0.isSupported }) {
      lines += ["", "\(unsupportedMark) Not supported by what it cites."]
    }
    if !isQuiet {
      if answer.outcome == .extractive {
        lines += [
          "", context.dim("Extractive answer: verbatim quotes, checked against the pages; no text model wrote it."),
        ]
      }
      if !answer.passages.isEmpty {
        lines += ["", context.dim("similarity  score   passage")]
        lines += answer.passages.map { context.dim(scores($0)) }
      }
      for warning in answer.warnings { lines += ["", singleLine("warning: \(warning.message) (\(warning.code))")] }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Stands after a sentence of an answer that its citations do not support.
  static let unsupportedMark = "[?]"

  /// The answer's text with a mark after each sentence that is not supported.
  private static func marked(_ answer: Answer) -> String {
    var scalars = Array(answer.text.unicodeScalars)
    for sentence in answer.sentences.reversed() where !sentence.isSupported && sentence.end <= scalars.count {
      scalars.insert(contentsOf: " \(unsupportedMark)".unicodeScalars, at: sentence.end)
    }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  static func render(_ retrieval: Retrieval, _ context: CommandContext, isQuiet: Bool) -> String {
    var lines: [String] = []
    if retrieval.passages.isEmpty { lines.append("No passages found.") }
    for passage in retrieval.passages {
      if passage.rank > 1 { lines.append("") }
      let heading =
        passage.chunk.headingPath.isEmpty ? "" : singleLine("  \(passage.chunk.headingPath.joined(separator: " > "))")
      lines.append(
        context.bold("\(passage.rank). \(place(passage.document.name, passage.chunk.pages))") + context.dim(heading))
      let legs = passage.legs.sorted { $0.key.rawValue < $1.key.rawValue }
        .map { "\($0.key.rawValue) #\($0.value.rank)" }.joined(separator: ", ")
      lines.append(
        context.dim(
          "similarity \(decimal(Double(passage.similarity), 3)), score \(decimal(passage.score, 4)) (\(legs))"))
      lines += wrap(singleLine(passage.chunk.text, keepingLines: true), width: max(40, min(context.width, 110)))
      for other in passage.alsoIn { lines.append(context.dim("also in \(singleLine(other.name))")) }
    }
    if !isQuiet {
      for warning in retrieval.warnings { lines += ["", singleLine("warning: \(warning.message) (\(warning.code))")] }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// `name.pdf, p. 12`, or `name.pdf, pp. 12–13`; the printed number follows when it differs.
  static func place(_ name: String, _ pages: [PageRange]) -> String {
    let numbers = Array(Set(pages.map(\.page))).sorted()
    guard let first = numbers.first, let last = numbers.last else { return name }
    let text = first == last ? "p. \(first)" : "pp. \(first)–\(last)"
    let labels = numbers.compactMap { number in pages.first { $0.page == number }?.label }
    let printed =
      labels.isEmpty
      ? "" : labels.count == 1 ? " (printed \(labels[0]))" : " (printed \(labels[0])–\(labels[labels.count - 1]))"
    return singleLine("\(name), \(text)\(printed)")
  }

  static func scores(_ passage: Passage) -> String {
    "\(pad(decimal(Double(passage.similarity), 3), 10))  \(decimal(passage.score, 4))  "
      + place(passage.document.name, passage.chunk.pages)
  }

  /// Names, labels and headings come from files: a terminal must not see their control characters, line ends, or
  /// marks that turn the direction of text around. `keepingLines` leaves line ends and tabs.
  static func singleLine(_ text: String, keepingLines: Bool = false) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x09,
        0x0A where keepingLines:
        result.append(scalar)
      case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: result.append("\u{FFFD}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  /// A number with a fixed count of decimals, without a locale.
  static func decimal(_ value: Double, _ places: Int) -> String {
    guard value.isFinite else { return "–" }
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = Int((abs(value) * scale).rounded())
    let digits = String(scaled)
    let padded = digits.count > places ? digits : String(repeating: "0", count: places + 1 - digits.count) + digits
    let whole = padded.dropLast(places)
    let sign = value < 0 && scaled != 0 ? "-" : ""
    return places == 0 ? sign + padded : "\(sign)\(whole).\(padded.suffix(places))"
  }

  static func pad(_ text: String, _ width: Int) -> String {
    text.count >= width ? text : text + String(repeating: " ", count: width - text.count)
  }

  private static func wrap(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
      var line = "  "
      for word in paragraph.split(separator: " ") {
        if line.count + word.count + 1 > width, line.count > 2 {
          lines.append(line)
          line = "  "
        }
        line += line.count > 2 ? " \(word)" : String(word)
      }
      lines.append(line)
    }
    return lines
  }
}
