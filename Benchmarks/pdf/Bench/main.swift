import Core
import Foundation
import PDFReading

// Reads the given PDFs one after another through PDFPageReader, `--rounds N` times (default 3), one process a document
// as in production, and prints a line of JSON with pages a second of the best round.
var paths: [String] = []
var rounds = 3
var arguments = CommandLine.arguments.dropFirst().makeIterator()
while let argument = arguments.next() {
  if argument == "--rounds" { rounds = arguments.next().flatMap(Int.init) ?? rounds } else { paths.append(argument) }
}
let configuration = PDFReaderConfiguration()
let reader = PDFPageReader(
  configuration: configuration, popplerVersion: try await PDFPageReader.popplerVersion(configuration: configuration))
let clock = ContinuousClock()
var best = 0.0
var pages = 0
for _ in 0..<rounds {
  pages = 0
  let start = clock.now
  for path in paths {
    let reading = try await reader.open(path: path, name: path, passwords: ["openme", "openpassword"])
    for try await _ in reading.pages { pages += 1 }
  }
  best = max(best, Double(pages) / ((clock.now - start) / .seconds(1)))
}
print(#"{"documents": \#(paths.count), "pages": \#(pages), "pages_per_second": \#(Int(best))}"#)
