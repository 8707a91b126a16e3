import Commands
import Foundation
import Testing

/// What a library contains that is no readable PDF, told by `quarry ingest`.
@Suite(.enabled(if: hasModel, "the embedding model is missing; run 'make setup'"))
struct BadInputTests {
  let workspace: Workspace

  init() throws { workspace = try Workspace() }

  /// Bytes, the code that is told, and a word of the message.
  static let bad: [(name: String, data: Data, code: String, word: String)] = [
    ("text.pdf", Data("Dear reader, this is no PDF at all.\n".utf8), "pdf.not_a_pdf", "text"),
    ("zip.pdf", Data([0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 60)), "pdf.not_a_pdf", "zip"),
    ("empty.pdf", Data(), "pdf.empty_file", "empty"),
    ("cut.pdf", Data(TextPDF.weir.prefix(100)), "pdf.damaged", "damaged"),
    (
      "zero.pdf", TextPDF.file(["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0>>"]), "pdf.no_pages",
      "no pages"
    ),
    ("long.pdf", TextPDF.make((1...5).map { ["Page number \($0) of a long document."] }), "pdf.too_many_pages", "5"),
    ("deep.pdf", TextPDF.nestedForms(depth: 40), "pdf.page_cpu_limit", "1 s"),
  ]

  @Test func eachIsNamedWithItsReason_andNothingElseIsLost() async throws {
    for file in Self.bad { try workspace.write("pdfs/\(file.name)", file.data) }
    try workspace.write("pdfs/folder.pdf/weir.pdf", TextPDF.weir)
    let limits = ["--set", "pdf.maxPages=4", "--set", "pdf.pageCpuTime=1s"]
    let run = await workspace.run(["ingest", workspace.pdfs] + limits)
    #expect(run.exitCode == ExitCode.someDocumentsFailed)
    #expect(run.output.contains("Documents: 1 new, \(Self.bad.count) failed"), "\(run.output)")
    for file in Self.bad {
      let line = run.output.split(separator: "\n").first { $0.contains("'\(file.name)'") } ?? ""
      #expect(line.contains("(\(file.code))"), "\(file.name): \(line)")
      #expect(line.contains(file.word), "\(line)")
    }
    // What failed is tried again, since somebody may have followed the remedy; the good document still answers.
    let again = await workspace.run(["ingest", workspace.pdfs] + limits)
    #expect(again.exitCode == ExitCode.someDocumentsFailed)
    #expect(again.output.contains("1 unchanged, \(Self.bad.count) failed"), "\(again.output)")
    #expect(await workspace.run("ask", "How high is the weir's crest?").output.contains("3.4 metres"))
    // Replaced by a good one, it is taken.
    let named = await workspace.run("ingest", workspace.pdfs + "/text.pdf")
    #expect(named.exitCode == ExitCode.someDocumentsFailed)
    try workspace.write("pdfs/text.pdf", TextPDF.orchard)
    #expect(await workspace.run(["ingest", workspace.pdfs] + limits).output.contains("1 new, 1 unchanged"))
    // Followed, the remedy works without a change of the file.
    let long = try #require(Self.bad.first { $0.code == "pdf.too_many_pages" })
    let raised = await workspace.run("ingest", workspace.pdfs, "--set", "pdf.pageCpuTime=1s")
    #expect(raised.output.contains("1 new"), "\(raised.output)")
    #expect(!raised.output.contains(long.name), "\(raised.output)")
  }

  @Test func aBadVersionOfAGoodDocumentLosesNothing() async throws {
    try workspace.write("pdfs/weir.pdf", TextPDF.weir)
    _ = await workspace.run("ingest", workspace.pdfs)
    try workspace.write("pdfs/weir.pdf", Data("overwritten by accident".utf8))
    let run = await workspace.run("ingest", workspace.pdfs)
    #expect(run.exitCode == ExitCode.someDocumentsFailed)
    let answer = await workspace.run("ask", "How high is the weir's crest?")
    #expect(answer.output.contains("3.4 metres"))
  }

  @Test func aCutDocumentThatStillHasPagesIsMarkedIncomplete() async throws {
    let whole = TextPDF.weir
    try workspace.write("pdfs/cut.pdf", whole.prefix(whole.count - 60))
    let run = await workspace.run("ingest", workspace.pdfs)
    let show = await workspace.run("documents", "show", "cut.pdf")
    if run.exitCode == 0 {
      #expect(show.output.contains("state      incomplete: "), "\(show.output)")
    } else {
      #expect(run.output.contains("pdf.damaged"))
    }
  }

  @Test func anEncryptedDocumentNeedsItsPassword_andTakesItFromConfiguration() async throws {
    let protected = try #require(Self.protectedDocument)
    let run = await workspace.run("ingest", protected.path)
    #expect(run.exitCode == ExitCode.someDocumentsFailed)
    #expect(run.output.contains("(pdf.encrypted)"))
    #expect(run.output.contains("pdf.passwords"))
    let wrong = await workspace.run("ingest", protected.path, "--set", "pdf.passwords=[nonsense]")
    #expect(wrong.output.contains("(pdf.wrong_password)"), "\(wrong.output)\(wrong.error)")
  }

  /// The password-protected PDF of `corpus/`.
  static let protectedDocument: URL? = {
    let url = packageRoot.appendingPathComponent("corpus/board-minutes-2024.pdf")
    return FileManager.default.fileExists(atPath: url.path) ? url : nil
  }()

  @Test func aScanIsIndexedAsUnreadable_andCounted() async throws {
    let scan = packageRoot.appendingPathComponent("corpus/survey-sheets-1968.pdf")
    let run = await workspace.run("ingest", scan.path)
    #expect(run.exitCode == 0, "\(run.error)\(run.output)")
    #expect(run.output.contains("image_only"))
    #expect(run.output.contains("quarry documents list --state unreadable"))
    let list = await workspace.run("documents", "list", "--state", "unreadable")
    #expect(list.output.contains("survey-sheets-1968.pdf"))
  }

  @Test func aFolderWithoutPDFsSaysSo() async throws {
    try workspace.write("pdfs/readme.txt", "hello")
    let run = await workspace.run("ingest", workspace.pdfs)
    #expect(run.exitCode == 0)
    #expect(run.output.contains("none found"))
  }

  @Test func aMissingPathIsNamed_andNothingIsDone() async throws {
    try workspace.write("pdfs/weir.pdf", TextPDF.weir)
    let run = await workspace.run("ingest", workspace.pdfs, workspace.path("none.pdf"))
    #expect(run.exitCode == ExitCode.notFound)
    #expect(run.error.contains("none.pdf"))
    #expect(run.error.contains("source.missing"))
    let s3 = await workspace.run("ingest", "s3://bucket/prefix")
    #expect(s3.exitCode == ExitCode.configuration)
    #expect(s3.error.contains("aws.region_missing"))
  }
}

/// Stores that cannot be used; no model needed.
@Suite struct BadStoreTests {
  let workspace: Workspace

  init() throws { workspace = try Workspace() }

  private func list(_ store: String) async -> Run {
    await workspace.run("documents", "list", "--set", "store.path=\(store)")
  }

  @Test func aFileThatIsNoDatabaseIsLeftAlone() async throws {
    let text = try workspace.write("notes.sqlite", String(repeating: "Not a database. ", count: 100))
    let run = await list(text)
    #expect(run.exitCode == ExitCode.storage, "\(run.error)")
    #expect(run.error.contains(text))
    #expect(try String(contentsOfFile: text, encoding: .utf8).hasPrefix("Not a database."))
  }

  @Test func aDatabaseOfAnotherProgramIsLeftAlone() async throws {
    // The head of an SQLite file (format 1.3) with another application id, whole and valid: one empty page.
    var bytes = [UInt8](repeating: 0, count: 4096)
    bytes.replaceSubrange(0..<16, with: Array("SQLite format 3\0".utf8))
    bytes.replaceSubrange(16..<24, with: [0x10, 0, 1, 1, 0, 64, 32, 32])
    bytes[31] = 1
    bytes[47] = 4
    bytes[59] = 1
    bytes.replaceSubrange(68..<72, with: Array("NOTQ".utf8))
    bytes[100] = 13
    bytes.replaceSubrange(105..<107, with: [0x10, 0])
    let file = try workspace.write("other.sqlite", Data(bytes))
    let run = await list(file)
    #expect(run.exitCode != 0)
    #expect(run.error.contains(file), "\(run.error)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: file)).prefix(4096) == Data(bytes))
  }

  @Test func aTruncatedStoreIsCalledDamaged() async throws {
    let store = workspace.path("quarry.sqlite")
    #expect(await list(store).exitCode == 0)
    let whole = try Data(contentsOf: URL(fileURLWithPath: store))
    try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: store))
    let run = await list(store)
    let doctor = await workspace.run("doctor", "--set", "store.path=\(store)")
    #expect(run.exitCode == ExitCode.storage || doctor.exitCode == ExitCode.belowTarget)
    #expect((run.error + doctor.output).contains("store"), "\(run.error)\(doctor.output)")
  }

  @Test func aPlaceThatCannotHoldAStoreIsNamed() async throws {
    let file = try workspace.write("file", "x")
    let run = await list(file + "/quarry.sqlite")
    #expect(run.exitCode != 0)
    #expect(run.error.contains(file))
    let folder = await list(workspace.pdfs)
    #expect(folder.exitCode != 0)
    #expect(folder.error.contains(workspace.pdfs))
  }
}
