import Core
import Foundation
import Ingestion
import Testing

/// Real PDFs in scripts that are not written like English, made by `scripts/generate-script-fixtures.py`: what hygiene
/// makes of them is what they say.
@Suite struct WritingSystemTests {
  private func expected(_ name: String) throws -> [String] {
    try String(contentsOfFile: fixture("scripts/\(name).txt"), encoding: .utf8).split(separator: "\n").map(String.init)
  }

  private func cleaned(_ name: String, without rules: Set<HygieneRule> = []) async throws -> [Page] {
    PageHygiene(without: rules).pages(from: try await read(fixture("scripts/\(name).pdf")).pages, outline: [])
  }

  private func paragraphs(_ pages: [Page]) -> [String] {
    pages.flatMap { page -> [String] in
      let scalars = Array(page.text.unicodeScalars)
      return page.blocks.map { block in
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[block.range])
        return String(view)
      }
    }
  }

  private func isRight(_ pages: [Page], _ name: String) throws -> Bool {
    paragraphs(pages) == (try expected(name)) && hasLettersInPlace(pages)
  }

  /// Whether letters written from right to left lie so.
  private func hasLettersInPlace(_ pages: [Page]) -> Bool {
    pages.allSatisfy { page in
      let letters = zip(page.text.unicodeScalars, page.boxes).compactMap { scalar, box in
        scalar.value >= 0x590 && scalar.value < 0x700 && scalar.properties.generalCategory == .otherLetter ? box : nil
      }
      return zip(letters, letters.dropFirst()).allSatisfy { abs($0.midY - $1.midY) > 2 || $1.left <= $0.left }
    }
  }

  @Test(arguments: [
    ("arabic", HygieneRule.rightToLeft), ("hebrew", .rightToLeft), ("japanese", .unspacedScripts),
    ("chinese", .unspacedScripts), ("japanese-vertical", .verticalText),
  ])
  func paragraphsAreAsWritten(_ name: String, by rule: HygieneRule) async throws {
    let pages = try await cleaned(name)
    #expect(paragraphs(pages) == (try expected(name)))
    #expect(hasLettersInPlace(pages))
    for page in pages {
      let scalars = Array(page.text.unicodeScalars)
      #expect(page.boxes.count == scalars.count)
      for (scalar, box) in zip(scalars, page.boxes) where !scalar.properties.isWhitespace { #expect(box != nil) }
    }
    let isRightWithout = try isRight(try await cleaned(name, without: [rule]), name)
    #expect(!isRightWithout)
  }

  @Test func sentencesWithoutSpacesAreSplit() async throws {
    let page = try #require(try await cleaned("japanese").first)
    let scalars = Array(page.text.unicodeScalars)
    let sentences = page.blocks.flatMap { SentenceSplitter().sentences(of: scalars, in: $0.range) }
    #expect(sentences.count == 6)
  }
}
