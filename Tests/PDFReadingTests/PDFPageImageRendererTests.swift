import Core
import Foundation
import PDFReading
import Testing

@Suite struct PDFPageImageRendererTests {
  private let renderer = PDFPageImageRenderer(configuration: configuration())

  @Test func drawsAPNGOfTheRightSize() async throws {
    let png = try await withFile(PDFBuilder.document("Words")) {
      try await renderer.png(path: $0, page: 1, dotsPerInch: 144, highlights: [], passwords: [])
    }
    #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
    #expect(size(png) == [600, 400])
  }

  @Test func highlightsChangeTheImage() async throws {
    let box = Box(left: 20, top: 38, right: 60, bottom: 54)
    let images = try await withFile(PDFBuilder.document("Words")) { path in
      [
        try await renderer.png(path: path, page: 1, dotsPerInch: 72, highlights: [], passwords: []),
        try await renderer.png(path: path, page: 1, dotsPerInch: 72, highlights: [box], passwords: []),
      ]
    }
    #expect(images[0] != images[1])
    #expect(size(images[0]) == size(images[1]))
  }

  @Test func pixelsAreBounded() async throws {
    let renderer = PDFPageImageRenderer(configuration: configuration(PDFLimits(maxImagePixels: 60_000)))
    let png = try await withFile(PDFBuilder.document("Words")) {
      try await renderer.png(path: $0, page: 1, dotsPerInch: 300, highlights: [], passwords: [])
    }
    let pixels = size(png)
    #expect(pixels[0] * pixels[1] <= 60_000 && pixels[0] >= 290)
  }

  @Test(arguments: [0, 2, Int.max]) func aPageThatIsNotThereIsNamed(_ page: Int) async throws {
    let error = try await withFile(PDFBuilder.document("Words")) { path in
      await #expect(throws: PDFReadingError.self) {
        _ = try await renderer.png(path: path, page: page, dotsPerInch: 72, highlights: [], passwords: [])
      }
    }
    #expect(error?.kind == .noSuchPage)
  }

  @Test func drawsEncryptedPages_withThePassword() async throws {
    let png = try await renderer.png(
      path: fixture("user-password.pdf"), page: 1, dotsPerInch: 72, highlights: [], passwords: ["sesame"])
    #expect(size(png) == [300, 200])
  }

  @Test func aBombIsNotDrawn() async throws {
    let renderer = PDFPageImageRenderer(configuration: configuration(PDFLimits(cpuSeconds: 1)))
    let error = try await withFile(hostile.nestedForms) { path in
      await #expect(throws: PDFReadingError.self) {
        _ = try await renderer.png(path: path, page: 1, dotsPerInch: 72, highlights: [], passwords: [])
      }
    }
    #expect(error?.kind == .cpuLimit)
  }

  /// Width and height from the IHDR chunk (PNG specification, 11.2.2).
  private func size(_ png: [UInt8]) -> [Int] {
    [16, 20].map { start in png[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
  }
}
