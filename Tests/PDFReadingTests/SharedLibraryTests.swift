import Core
import Foundation
import PDFReading
import Testing

/// The real documents; skipped where the shared library is not there.
@Suite(.enabled(if: sharedLibrary != nil, "../shared/library is not here (set QUARRY_SHARED)"))
struct SharedLibraryTests {
  private struct Manifest: Decodable {
    struct Entry: Decodable {
      var file: String
      var pages: Int?
      var encrypted: String?
    }
    var documents: [Entry]
  }

  @Test func everyDocumentGivesThePagesOfTheManifest() async throws {
    let library = try #require(sharedLibrary)
    let manifest = try JSONDecoder().decode(
      Manifest.self, from: Data(contentsOf: library.appendingPathComponent("manifest.json")))
    let passwords = ["openme", "openpassword"]
    for entry in manifest.documents {
      let path = library.appendingPathComponent(entry.file).path
      guard FileManager.default.fileExists(atPath: path) else { continue }
      let whole = try await read(path, passwords: passwords)
      #expect(whole.pages.map(\.number) == Array(1...whole.document.pageCount), "\(entry.file)")
      if let pages = entry.pages { #expect(whole.document.pageCount == pages, "\(entry.file)") }
      #expect(whole.document.damage == nil, "\(entry.file)")
    }
  }

  @Test func aScanIsSeenAsImages() async throws {
    let library = try #require(sharedLibrary)
    let whole = try await read(library.appendingPathComponent("pdfs/derived-scan-only.pdf").path)
    #expect(whole.pages.allSatisfy { $0.scalars.isEmpty && $0.imageCoverage > 0.9 })
  }

  @Test func rightToLeftWordsAreAllThere() async throws {
    let library = try #require(sharedLibrary)
    let whole = try await read(library.appendingPathComponent("pdfs/arabic-habibi.pdf").path)
    let letters = whole.pages[0].scalars.count { (0x600...0x6FF).contains($0.value) }
    // The word of six scalars stands there twice.
    #expect(letters == 12)
    #expect(whole.pages[0].boxes.contains { $0 != nil })
  }
}
