import Core
import Glibc

/// Reads a text file line by line, with a bound on memory of one line: corpora need not fit into memory.
final class LineReader {
  let path: String
  /// The number of the line read last, from 1.
  private(set) var number = 0
  private let file: UnsafeMutablePointer<FILE>
  private var buffer: UnsafeMutablePointer<CChar>?
  private var capacity = 0

  /// Opens a file.
  /// - Throws: ``InsightError`` `questions.missing` when it cannot be opened.
  init(path: String) throws {
    self.path = path
    guard let file = fopen(path, "re") else {
      let reason = String(cString: strerror(errno))
      throw InsightError(
        code: "questions.missing", category: .notFound, message: "cannot read \(path): \(reason)",
        remedy: "Give a file of questions, one JSON object a line, or a folder in BEIR's layout.")
    }
    self.file = file
  }

  deinit {
    fclose(file)
    free(buffer)
  }

  /// The next line that is not blank, without its end; nil at the end of the file.
  /// - Throws: ``InsightError`` when it is not UTF-8 or the file cannot be read on.
  func next() throws -> String? {
    while true {
      let length = getline(&buffer, &capacity, file)
      guard length >= 0, let buffer else {
        if ferror(file) != 0 { throw problem("it cannot be read (\(String(cString: strerror(errno))))") }
        return nil
      }
      number += 1
      let bytes = UnsafeRawBufferPointer(start: buffer, count: length)
      guard let line = String(validating: bytes, as: UTF8.self) else { throw problem("it is not UTF-8 text") }
      var text = line[...]
      if number == 1, text.hasPrefix("\u{FEFF}") { text = text.dropFirst() }
      while let last = text.last, last.isWhitespace { text = text.dropLast() }
      if !text.isEmpty { return String(text) }
    }
  }

  /// An error about the line read last, as `file:line: …`.
  func problem(_ what: String, underlying: (any Error)? = nil) -> InsightError {
    InsightError(
      code: "questions.malformed", category: .invalidInput, message: "\(path):\(number): \(what)",
      remedy: "Correct the line; docs/retrieval.md describes the format.", underlying: underlying)
  }
}
