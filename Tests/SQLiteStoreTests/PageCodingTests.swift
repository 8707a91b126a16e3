import Core
import IndexEncoding
import QuarryTesting
import SQLiteStore
import Testing

@Suite struct PageCodingTests {
  private func boxes(_ bytes: [UInt8]) -> [Box?]? { bytes.withUnsafeBytes { PageCoding.boxes($0) } }
  private func blocks(_ bytes: [UInt8]) -> [TextBlock]? { bytes.withUnsafeBytes { PageCoding.blocks($0) } }

  @Test func returnsBoxes_withinASixteenthOfAPoint() throws {
    var generator = SystemRandomNumberGenerator()
    let original: [Box?] = (0..<2_000).map { index in
      if index % 7 == 0 { return nil }
      let left = Float.random(in: -50...2_000, using: &generator)
      let top = Float.random(in: -50...2_000, using: &generator)
      return Box(left: left, top: top, right: left + .random(in: 0...40), bottom: top + .random(in: 0...40))
    }
    let decoded = try #require(boxes(PageCoding.encode(original)))
    #expect(decoded.count == original.count)
    for (found, wanted) in zip(decoded, original) {
      guard let found, let wanted else {
        #expect(found == nil && wanted == nil)
        continue
      }
      let errors = [
        found.left - wanted.left, found.top - wanted.top, found.right - wanted.right, found.bottom - wanted.bottom,
      ]
      #expect(errors.allSatisfy { abs($0) <= 0.0626 })
    }
  }

  @Test func takesTwoBytesAGlyph_onALine() {
    let page = Sample.page(text: String(repeating: "abcdefghij", count: 200))
    #expect(PageCoding.encode(page.boxes).count < 2_000 * 2 + 400)
  }

  @Test func survivesNonsenseNumbers() throws {
    let odd = Box(left: .nan, top: .infinity, right: -.infinity, bottom: .greatestFiniteMagnitude)
    #expect(try #require(boxes(PageCoding.encode([odd, nil]))).count == 2)
  }

  @Test func returnsBlocks_ofEveryKind() {
    let kinds: [TextBlock.Kind] = [
      .heading(level: 1), .heading(level: 6), .paragraph, .listItem, .table, .preformatted, .footnote, .aside,
      .contents,
    ]
    let original = kinds.enumerated().map { index, kind in
      TextBlock(range: index * 1_000..<index * 1_000 + 900, kind: kind, continuesOnNextPage: index % 2 == 0)
    }
    #expect(blocks(PageCoding.encode(original)) == original)
  }

  @Test func refusesDamagedBytes_withoutTrapping() {
    let sound = PageCoding.encode(Sample.page(text: "some words on a page").boxes)
    #expect(boxes([]) == nil)
    #expect(boxes(sound.dropLast()) == nil)
    #expect(boxes(sound + [0]) == nil)
    #expect(boxes([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]) == nil)
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<5_000 {
      let noise = (0..<Int.random(in: 0...40)).map { _ in UInt8.random(in: 0...255, using: &generator) }
      _ = boxes(noise)
      _ = blocks(noise)
    }
  }

  private func boxes(_ bytes: ArraySlice<UInt8>) -> [Box?]? { boxes(Array(bytes)) }
}
