import ChildProcess
import Core
import Foundation
import QuarryTesting
import Testing

@testable import AWS

@Suite(.enabled(if: ContractServer.python != nil, "botocore is not installed (make setup-check)"))
struct TextractTests {
  private static let tools = ["pdftoppm", "tesseract"].compactMap { ChildProcess.locate($0) }
  private static let hasTools = tools.count == 2

  private func recognizer(_ server: ContractServer) throws -> TextractRecognizer {
    TextractRecognizer(client: try server.client(), concurrency: 2)
  }

  /// The first page of the corpus's scan, as it is displayed.
  private func scan() async throws -> PageImage {
    let file =
      URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
      + "/../../corpus/survey-sheets-1968.pdf"
    let drawn = try await ChildProcess.run(
      executable: Self.tools[0], arguments: ["-png", "-r", "200", "-f", "1", "-l", "1", file], outputLimit: 1 << 26)
    return PageImage(png: drawn.output, dotsPerInch: 200, name: "page 1 of 'survey-sheets-1968.pdf'")
  }

  @Test(.enabled(if: hasTools, "pdftoppm and tesseract are missing; run 'make setup-test'"))
  func wordsComeByLines_withTheirPlacesAndConfidence() async throws {
    let server = try await ContractServer()
    let words = try await recognizer(server).recognize(try await scan())
    let text = words.map(\.text).joined(separator: " ")
    #expect(text.contains("4 March") && text.contains("Heron"), "\(text)")
    #expect(words.allSatisfy { $0.confidence > 0 && $0.confidence <= 1 })
    #expect(words.allSatisfy { 0 <= $0.box.left && $0.box.left < $0.box.right && $0.box.right <= 1 })
    for (word, next) in zip(words, words.dropFirst()) where word.line == next.line {
      #expect(word.paragraph == next.paragraph && word.box.left < next.box.left)
    }
    #expect(Set(words.map(\.paragraph)).count > 1 && Set(words.map(\.paragraph)).count < Set(words.map(\.line)).count)
    #expect(try await server.record().calls == ["DetectDocumentText"])
  }

  @Test func waitsOutThrottling_andNamesARefusal() async throws {
    let server = try await ContractServer()
    let image = PageImage(png: Array("no image".utf8), dotsPerInch: 200, name: "page 7 of 'a.pdf'")
    try await server.setFaults(#"[{"status": 400, "code": "ProvisionedThroughputExceededException"}]"#)
    let error = await #expect(throws: AWSError.self) { _ = try await recognizer(server).recognize(image) }
    #expect(error?.serviceCode == "UnsupportedDocumentException" && error?.category == .invalidInput)
    #expect(error?.message.contains("textract:DetectDocumentText on page 7 of 'a.pdf'") == true)
    // The first call was throttled, the second refused.
    #expect(try await server.record().calls == ["DetectDocumentText"])
  }

  @Test func refusesAnImageThatTheServiceWouldRefuse_withoutSendingIt() async throws {
    let server = try await ContractServer()
    try await server.setFaults()
    let image = PageImage(
      png: [UInt8](repeating: 0, count: TextractRecognizer.maximumBytes + 1), dotsPerInch: 600, name: "page 1")
    let error = await #expect(throws: AWSError.self) { _ = try await recognizer(server).recognize(image) }
    #expect(error?.code == "ocr.image_too_large" && error?.remedy == "Lower ocr.resolution.")
    #expect(try await server.record().calls.isEmpty)
  }

  @Test func linesFarApartOrSideBySide_areParagraphsOfTheirOwn() throws {
    func block(_ id: String, _ left: Double, _ top: Double) -> [String: Any] {
      [
        "Id": "l\(id)", "BlockType": "LINE",
        "Geometry": ["BoundingBox": ["Left": left, "Top": top, "Width": 0.3, "Height": 0.02]],
        "Relationships": [["Type": "CHILD", "Ids": [id]]],
      ]
    }
    func word(_ id: String, _ left: Double, _ top: Double) -> [String: Any] {
      [
        "Id": id, "BlockType": "WORD", "Text": id, "Confidence": 50,
        "Geometry": ["BoundingBox": ["Left": left, "Top": top, "Width": 0.3, "Height": 0.02]],
      ]
    }
    let places: [(String, Double, Double)] = [
      ("a", 0.1, 0.10), ("b", 0.1, 0.125), ("c", 0.1, 0.2), ("d", 0.6, 0.2), ("e", 0.6, 0.225),
    ]
    let json = [
      "Blocks": places.flatMap { [block($0.0, $0.1, $0.2), word($0.0, $0.1, $0.2)] } + [
        ["Id": "x", "BlockType": "SIGNATURE"]
      ]
    ]
    let document = try JSONDecoder().decode(
      TextractDocument.self, from: JSONSerialization.data(withJSONObject: json))
    #expect(document.words.map(\.text) == ["a", "b", "c", "d", "e"])
    #expect(document.words.map(\.paragraph) == [0, 0, 1, 2, 2])
    #expect(document.words.first?.confidence == 0.5)
  }
}
