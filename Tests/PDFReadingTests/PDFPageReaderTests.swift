import Core
import Foundation
import PDFReading
import Testing

@Suite struct PDFPageReaderTests {
  @Test func givesTextBoxesAndFonts() async throws {
    let bytes = PDFBuilder.document("Hello world\nSecond line", "Page two")
    let whole = try await withFile(bytes) { try await read($0) }
    #expect(whole.document.pageCount == 2)
    #expect(whole.document.damage == nil)
    #expect(whole.pages.map(\.number) == [1, 2])
    let page = whole.pages[0]
    #expect(page.text == "Hello world\nSecond line")
    #expect(page.size == PageSize(width: 300, height: 200))
    #expect(page.label == nil)
    #expect(page.fonts.map(\.name) == ["Helvetica"])
    #expect(page.fonts.first?.size == 12)
    #expect(page.fonts.first?.range == 0..<23)
    // The first baseline is 150 above the bottom, so 50 below the top; H is 8.7 points wide (722/1000 of 12).
    let box = try #require(page.boxes[0])
    #expect(abs(box.left - 20) < 0.11 && abs(box.right - 28.66) < 0.11)
    #expect(box.top > 35 && box.top < 45 && box.bottom > 49 && box.bottom < 55)
    // The second line is 14 points lower.
    let second = try #require(page.boxes[12])
    #expect(abs(second.top - box.top - 14) < 0.11)
    #expect(page.boxes[11] == nil)
  }

  @Test(arguments: [90, 180, 270]) func boxesFollowTheRotation(_ angle: Int) async throws {
    let bytes = PDFBuilder.document(contents: [PDFBuilder.content("H")], pageEntries: "/Rotate \(angle)")
    let page = try await withFile(bytes) { try await read($0) }.pages[0]
    let box = try #require(page.boxes[0])
    // The glyph's middle on the unrotated page, from the top left: (24.3, 46 or so).
    let middle: (Float, Float)
    switch angle {
    case 90: middle = (200 - 46, 24.3)
    case 180: middle = (300 - 24.3, 200 - 46)
    default: middle = (46, 300 - 24.3)
    }
    #expect(page.size == (angle == 180 ? PageSize(width: 300, height: 200) : PageSize(width: 200, height: 300)))
    #expect(abs(box.midX - middle.0) < 4 && abs(box.midY - middle.1) < 4)
  }

  @Test func boxesCountFromTheCropBox() async throws {
    let bytes = PDFBuilder.document(
      contents: [PDFBuilder.content("H")], pageEntries: "/CropBox[10 100 290 190]")
    let page = try await withFile(bytes) { try await read($0) }.pages[0]
    #expect(page.size == PageSize(width: 280, height: 90))
    let box = try #require(page.boxes[0])
    #expect(abs(box.left - 10) < 0.11)
    #expect(abs(box.midY - (46 - 10)) < 4)
  }

  @Test func tellsLabelsOutlineTitleAndDates() async throws {
    var builder = PDFBuilder()
    builder.add(
      "<</Type/Catalog/Pages 2 0 R/PageLabels<</Nums[0<</S/r/St 4>>]>>/Outlines 5 0 R>>")
    builder.add("<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>")
    builder.add("<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>")
    builder.add("<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>")
    builder.add("<</First 6 0 R/Last 6 0 R/Count 2>>")
    builder.add("<</Title(Part)/Parent 5 0 R/Dest[3 0 R/Fit]/First 7 0 R/Last 7 0 R/Count 1>>")
    builder.add("<</Title<FEFF00D600731034>/Parent 6 0 R/Dest[4 0 R/XYZ 0 150 0]>>")
    builder.add("<</Title(A title)/Author(Somebody)/CreationDate(D:20200102030405Z)>>")
    var bytes = builder.file(root: 1)
    let trailer = try #require(String(decoding: bytes, as: UTF8.self).range(of: "trailer\n<<"))
    let offset = String(decoding: bytes, as: UTF8.self)[..<trailer.upperBound].utf8.count
    bytes.insert(contentsOf: Array("/Info 8 0 R".utf8), at: offset)
    let whole = try await withFile(bytes) { try await read($0) }
    #expect(whole.pages.map(\.label) == ["iv", "v"])
    #expect(whole.document.metadata.title == "A title")
    #expect(whole.document.metadata.author == "Somebody")
    #expect(whole.document.metadata.created == Date(timeIntervalSince1970: 1_577_934_245))
    #expect(whole.document.metadata.modified == nil)
    #expect(
      whole.document.outline == [
        OutlineEntry(level: 1, title: "Part", page: 1),
        OutlineEntry(level: 2, title: "Ös\u{1034}", page: 2, top: 50),
      ])
  }

  @Test func measuresImages_onPagesWithoutText() async throws {
    let bytes = PDFBuilder.document(
      contents: [Array("q 150 0 0 200 0 0 cm BI /W 1 /H 1 /BPC 8 /CS /G ID x EI Q".utf8), []])
    let pages = try await withFile(bytes) { try await read($0) }.pages
    #expect(pages.map(\.imageCoverage) == [0.5, 0])
    #expect(pages.allSatisfy { $0.scalars.isEmpty })
  }

  @Test func opensOwnerPasswordFiles_withoutPassword() async throws {
    #expect(try await read(fixture("owner-password.pdf")).pages.map(\.text) == ["Text behind a password."])
  }

  @Test func tellsMissingFromWrongPassword() async throws {
    let path = fixture("user-password.pdf")
    #expect(await failureCode(path) == .encrypted)
    #expect(await failureCode(path, passwords: ["sesam", "open"]) == .wrongPassword)
    #expect(try await read(path, passwords: ["no", "sesame"]).pages.map(\.text) == ["Text behind a password."])
  }

  @Test(arguments: ["with space.pdf", "new\nline.pdf", "emoji 📚 ü.pdf", "-dash.pdf", "per%20cent#?.pdf"])
  func readsOddPaths(_ name: String) async throws {
    let pages = try await withFile(PDFBuilder.document("Here"), name: name) { try await read($0) }.pages
    #expect(pages.map(\.text) == ["Here"])
  }

  @Test func pagesWaitForTheirConsumer_andTheReaderEndsWithTheStream() async throws {
    let pages = (1...300).map { PDFBuilder.content("Page \($0) " + String(repeating: "x", count: 500)) }
    try await withFile(PDFBuilder.document(contents: pages)) { path in
      let reader = PDFPageReader(configuration: configuration(), popplerVersion: "test")
      var reading: DocumentReading? = try await reader.open(path: path, name: "x", passwords: [])
      var iterator = reading?.pages.makeAsyncIterator()
      #expect(try await iterator?.next()?.number == 1)
      #expect(readersOf(path) == 1)
      iterator = nil
      reading = nil
      for _ in 0..<200 where readersOf(path) > 0 { try await Task.sleep(for: .milliseconds(20)) }
      #expect(readersOf(path) == 0)
    }
  }

  @Test func cancellationEndsTheReading() async throws {
    try await withFile(hostile.nestedForms) { path in
      let task = Task { try await read(path) }
      try await Task.sleep(for: .milliseconds(200))
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }

  @Test func namesTheVersionOfItsExtractor() async throws {
    let poppler = try await PDFPageReader.popplerVersion(configuration: configuration())
    #expect(poppler.split(separator: ".").count == 3)
    #expect(PDFPageReader(popplerVersion: poppler).version.hasSuffix("poppler-\(poppler)"))
  }

  @Test func aMissingReaderIsNamed() async throws {
    let reader = PDFPageReader(
      configuration: PDFReaderConfiguration(readerPath: "/nowhere/quarry-pdf-reader"), popplerVersion: "test")
    let error = await #expect(throws: PDFReadingError.self) {
      _ = try await reader.open(path: fixture("owner-password.pdf"), name: "x", passwords: [])
    }
    #expect(error?.kind == .readerMissing)
    #expect(error?.remedy?.isEmpty == false)
  }

  /// How many processes have the file open.
  private func readersOf(_ path: String) -> Int {
    let files = FileManager.default
    let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    return ((try? files.contentsOfDirectory(atPath: "/proc")) ?? []).filter { Int($0) != nil }.count { process in
      let folder = "/proc/\(process)/fd"
      return ((try? files.contentsOfDirectory(atPath: folder)) ?? []).contains {
        (try? files.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")) == target
      }
    }
  }
}
