import Core
import Foundation
import PDFReading
import Testing

/// The reader program that was built with these tests: it stands beside their resources.
let readerPath = Bundle.module.bundleURL.deletingLastPathComponent().appendingPathComponent("quarry-pdf-reader").path

/// A committed file.
func fixture(_ name: String) -> String {
  Bundle.module.bundleURL.appendingPathComponent("Fixtures/\(name)").path
}

/// The shared library's folder; nil where it is not there.
let sharedLibrary: URL? = {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  let shared =
    ProcessInfo.processInfo.environment["QUARRY_SHARED"].map { URL(fileURLWithPath: $0) }
    ?? root.deletingLastPathComponent().appendingPathComponent("shared")
  let library = shared.appendingPathComponent("library")
  return FileManager.default.fileExists(atPath: library.path) ? library : nil
}()

/// A configuration for tests: this build's reader.
func configuration(_ limits: PDFLimits = PDFLimits()) -> PDFReaderConfiguration {
  PDFReaderConfiguration(readerPath: readerPath, limits: limits)
}

/// All that a document gives.
struct WholeReading {
  var document: ExtractedDocument
  var pages: [ExtractedPage]
}

/// Reads a document to its end.
func read(
  _ path: String, limits: PDFLimits = PDFLimits(), passwords: [String] = []
) async throws -> WholeReading {
  let reader = PDFPageReader(configuration: configuration(limits), popplerVersion: "test")
  let reading = try await reader.open(
    path: path, name: URL(fileURLWithPath: path).lastPathComponent, passwords: passwords)
  var pages: [ExtractedPage] = []
  for try await page in reading.pages { pages.append(page) }
  return WholeReading(document: reading.document, pages: pages)
}

/// Runs `body` with the path of a temporary file of these bytes.
func withFile<Result>(
  _ bytes: [UInt8], name: String = "file.pdf", _ body: (String) async throws -> Result
) async throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("quarry-pdf-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let file = folder.appendingPathComponent(name)
  try Data(bytes).write(to: file)
  return try await body(file.path)
}

/// The code of the error that reading the file ends with; nil if it is read.
func failureCode(
  _ path: String, limits: PDFLimits = PDFLimits(), passwords: [String] = []
) async -> PDFReadingError.Code? {
  await failure(path, limits: limits, passwords: passwords)?.kind
}

/// The error that reading the file ends with; nil if it is read.
func failure(
  _ path: String, limits: PDFLimits = PDFLimits(), passwords: [String] = []
) async -> PDFReadingError? {
  do {
    _ = try await read(path, limits: limits, passwords: passwords)
    return nil
  } catch let error as PDFReadingError {
    return error
  } catch {
    Issue.record("not a PDFReadingError: \(error)")
    return nil
  }
}

extension ExtractedPage {
  /// The page's text.
  var text: String { String(String.UnicodeScalarView(scalars)) }
}
