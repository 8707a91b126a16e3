import Foundation
import Testing

private let hasTesseract = ["/usr/bin/tesseract", "/usr/local/bin/tesseract"].contains {
  FileManager.default.isExecutableFile(atPath: $0)
}

/// Pages that are images, from `ingest` to a cited answer.
@Suite(.enabled(if: hasModel, "the embedding model is missing; run 'make setup'"))
struct RecognitionTests {
  private let scan = packageRoot.appending(path: "corpus/survey-sheets-1968.pdf").path
  private let question = "When was the estuary surveyed from the launch Heron?"

  @Test(.enabled(if: hasTesseract, "tesseract is missing; run 'make setup-test'"))
  func aScanIsAnswered_withTheQuoteOnItsPage() async throws {
    let workspace = try Workspace()
    let without = await workspace.run("ingest", scan)
    #expect(without.output.contains("3 image_only"), "\(without.output)")

    let on = ["QUARRY_OCR_COMMAND": "tesseract"]
    let again = await workspace.run(["ingest", scan], adding: on)
    #expect(again.output.contains("Stale: 1"), "\(again.output)")
    let rebuilt = await workspace.run(["ingest", "--rebuild"], adding: on)
    #expect(rebuilt.exitCode == 0, "\(rebuilt.error)")
    #expect(rebuilt.output.contains("Pages: 3 (3 read from their image)"), "\(rebuilt.output)")

    let answer = try await workspace.run("ask", "--json", question).object()
    #expect(answer["outcome"] as? String == "extractive")
    let citation = try #require((answer["citations"] as? [[String: Any]])?.first)
    #expect(citation["page"] as? Int == 1 && citation["verified"] as? Bool == true)
    #expect((citation["quote"] as? String)?.contains("4 March") == true)
    let mark = try #require(citation["recognition"] as? [String: Any])
    #expect((mark["recognizer"] as? String)?.hasPrefix("tesseract ") == true)
    #expect((mark["confidence"] as? Double ?? 0) > 0.7)

    let text = await workspace.run("ask", question)
    #expect(text.output.contains("survey-sheets-1968.pdf, p. 1 (read from the image by tesseract"))
    let shown = await workspace.run("documents", "show", "survey-sheets-1968.pdf")
    #expect(shown.output.contains("pages 1–3: text – read from the image by tesseract"), "\(shown.output)")
    let doctor = await workspace.run(["doctor"], adding: on)
    #expect(doctor.output.contains("ok      ocr"), "\(doctor.output)")
  }

  @Test func aMissingCommand_isToldBeforeAnythingIsRead_andByDoctor() async throws {
    let workspace = try Workspace(["QUARRY_OCR_COMMAND": "no-such-reader"])
    let run = await workspace.run("ingest", scan)
    #expect(run.exitCode == 78)
    #expect(run.error.contains("(ocr.command_missing)") && run.error.contains("tesseract-ocr"), "\(run.error)")
    let listed = try await workspace.run("documents", "list", "--json").object()
    #expect((listed["documents"] as? [Any])?.isEmpty == true)
    let doctor = await workspace.run("doctor")
    #expect(doctor.exitCode == 4)
    #expect(doctor.output.contains("failed  ocr"), "\(doctor.output)")
  }

  @Test(arguments: [
    ("ocr.arguments=[--fast]", "{image}"), ("ocr.arguments=[\"{image}\", \"{colour}\"]", "{colour}"),
    ("ocr.language=-x", "ocr.language"),
  ])
  func argumentsThatCannotWork_areMistakesOfTheConfiguration(_ setting: String, _ named: String) async throws {
    let workspace = try Workspace(["QUARRY_OCR_COMMAND": "tesseract"])
    let run = await workspace.run("config", "check", "--set", setting)
    #expect(run.exitCode == 78)
    #expect((run.error + run.output).contains(named), "\(run.error)")
  }
}
