import Core
import Foundation
import PDFReading
import Testing

/// Documents that are made to harm.
enum hostile {
  /// Forms that draw the next one ten times, 30 levels deep: 10^30 forms.
  static let nestedForms: [UInt8] = PDFBuilder.document(
    contents: [Array("/X0 Do".utf8)], resources: "/XObject<</X0 6 0 R>>"
  ) { builder in
    for level in 0..<30 {
      let draws = String(repeating: "/X Do ", count: 10)
      let next = level < 29 ? "/Resources<</XObject<</X \(7 + level) 0 R>>>>" : ""
      builder.add(stream: Array(draws.utf8), dictionary: "/Type/XObject/Subtype/Form/BBox[0 0 9 9]\(next)")
    }
  }

  /// 100 KB that become 12.9 GB of text operators.
  static let textBomb: [UInt8] = PDFBuilder.document(
    contents: [flateBomb(pattern: "(aaaaaaaaaaa) Tj\n", matches: 50_000)], contentDictionary: "/Filter/FlateDecode",
    repeatingContents: 1000)

  /// A billion strings on one spot: little is kept of them, so only time tells.
  static let stringBomb: [UInt8] = PDFBuilder.document(
    contents: [flateBomb(pattern: "BT/F1 1 Tf(a)Tj \n", matches: 65_000)], contentDictionary: "/Filter/FlateDecode",
    repeatingContents: 1000)
}

@Suite struct HostileDocumentTests {
  @Test func aTextBombEndsAtTheMemoryLimit() async throws {
    let limits = PDFLimits(addressSpaceBytes: 300 << 20, cpuSeconds: 60)
    let code = try await withFile(hostile.textBomb) { await failureCode($0, limits: limits) }
    #expect(code == .memoryLimit)
  }

  @Test func nestedFormsEndAtTheCPULimit() async throws {
    let code = try await withFile(hostile.nestedForms) { await failureCode($0, limits: PDFLimits(cpuSeconds: 1)) }
    #expect(code == .cpuLimit)
  }

  @Test func nestedFormsEndAtTheTimeLimit() async throws {
    let limits = PDFLimits(wallTime: .milliseconds(300))
    let code = try await withFile(hostile.nestedForms) { await failureCode($0, limits: limits) }
    #expect(code == .timeLimit)
  }

  @Test func onePageEndsAtItsOwnCPULimit_longBeforeTheDocuments() async throws {
    let error = try await withFile(hostile.nestedForms) {
      await failure($0, limits: PDFLimits(cpuSeconds: 60, pageCPUSeconds: 1))
    }
    #expect(error?.kind == .pageCPULimit)
    #expect(error?.message.contains("page 1 of") == true && error?.message.contains("the 1 s") == true)
  }

  @Test func millionsOfStringsOnOneSpotEndAtThePagesCPULimit() async throws {
    let code = try await withFile(hostile.stringBomb) {
      await failureCode($0, limits: PDFLimits(cpuSeconds: 60, pageCPUSeconds: 1))
    }
    #expect(code == .pageCPULimit)
  }

  @Test func outputBeyondItsLimitIsRefused() async throws {
    let bytes = PDFBuilder.document(contents: Array(repeating: PDFBuilder.content("Some words"), count: 20))
    let code = try await withFile(bytes) { await failureCode($0, limits: PDFLimits(maxOutputBytes: 1000)) }
    #expect(code == .outputLimit)
  }

  @Test func aPageOfTooMuchTextIsRefused_andNamed() async throws {
    let limits = PDFLimits(maxScalarsPerPage: 10)
    let error = try await withFile(PDFBuilder.document("Short", "Longer than ten")) {
      await failure($0, limits: limits)
    }
    #expect(error?.kind == .outputLimit)
    #expect(error?.message.contains("page 2") == true)
  }

  @Test func aDocumentOfTooManyPagesIsRefusedWhole_andBothNumbersNamed() async throws {
    let bytes = PDFBuilder.document("1", "2", "3")
    let error = try await withFile(bytes, name: "long.pdf") { await failure($0, limits: PDFLimits(maxPages: 2)) }
    #expect(error?.kind == .tooManyPages)
    #expect(error?.message == "'long.pdf' has 3 pages, more than the 2 allowed")
    #expect(try await withFile(bytes) { await failureCode($0, limits: PDFLimits(maxPages: 3)) } == nil)
  }

  @Test func pagesThatThePageTreeCountsAndHasNotAreMissing() async throws {
    let text = String(decoding: PDFBuilder.document("One"), as: UTF8.self)
    let bytes = Array(text.replacingOccurrences(of: "/Count 1", with: "/Count 4").utf8)
    let whole = try await withFile(bytes) { try await read($0) }
    #expect(whole.document.pageCount == 4)
    #expect(whole.pages.map(\.number) == [1])
  }

  @Test func anOutlineThatGoesRoundInCirclesEnds() async throws {
    let bytes = PDFBuilder.document(contents: [PDFBuilder.content("x")], catalog: "/Outlines 6 0 R") { builder in
      builder.add("<</First 7 0 R/Last 7 0 R/Count 1>>")
      builder.add("<</Title(Again)/Parent 6 0 R/Next 7 0 R/First 7 0 R/Last 7 0 R/Dest[4 0 R/Fit]>>")
    }
    #expect(try await withFile(bytes) { try await read($0) }.pages.count == 1)
  }

  @Test(
    arguments: [
      ("text.pdf", Array("These are words.\n".utf8), "a text file"),
      ("archive.pdf", [0x50, 0x4B, 3, 4, 0, 0, 1, 2], "a zip archive or an office document"),
    ] as [(String, [UInt8], String)])
  func otherFilesAreNamedForWhatTheyAre(name: String, bytes: [UInt8], kind: String) async throws {
    let error = try await withFile(bytes, name: name) { await failure($0) }
    #expect(error?.kind == .notAPDF)
    #expect(error?.message.contains(kind) == true && error?.message.contains(name) == true)
    #expect(error?.remedy?.isEmpty == false)
  }

  @Test func emptyFileDirectoryAndMissingFileAreToldApart() async throws {
    #expect(try await withFile([]) { await failureCode($0) } == .emptyFile)
    #expect(await failureCode(NSTemporaryDirectory()) == .isDirectory)
    #expect(await failureCode("/nowhere/at all.pdf") == .vanished)
  }

  @Test func aNamedPipeDoesNotBlock() async throws {
    try await withFile([]) { path in
      let pipe = path + ".pipe"
      #expect(mkfifo(pipe, 0o600) == 0)
      #expect(await failureCode(pipe) == .notRegularFile)
    }
  }

  @Test func aDocumentWithoutPagesIsNamed() async throws {
    #expect(try await withFile(PDFBuilder.document(contents: [])) { await failureCode($0) } == .noPages)
  }

  @Test func aTruncatedFileIsDamagedOrMarked_whereverItIsCut() async throws {
    let bytes = PDFBuilder.document("First page", "Second page", "Third page")
    for share in [0.1, 0.3, 0.5, 0.7, 0.9] {
      let cut = Array(bytes.prefix(Int(Double(bytes.count) * share)))
      try await withFile(cut) { path in
        do {
          let whole = try await read(path)
          #expect(whole.document.damage != nil)
        } catch let error as PDFReadingError {
          #expect([.damaged, .noPages].contains(error.kind))
          #expect(error.message.contains("end is missing") || error.kind == .noPages)
        }
      }
    }
  }

  @Test func aFileThatChangesWhileReadIsRefused() async throws {
    // More than the pipe holds, so that the reader is at work when the file changes.
    let contents = (1...2500).map { PDFBuilder.content("Page \($0) " + String(repeating: "x", count: 400)) }
    let bytes = PDFBuilder.document(contents: contents)
    for replaces in [false, true] {
      let code = try await withFile(bytes) { path in
        await codeWhenTouched(path) {
          if replaces {
            try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
          } else {
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("more".utf8))
            try handle.close()
          }
        }
      }
      #expect(code == .changedWhileReading)
    }
    let code = try await withFile(bytes) { path in
      await codeWhenTouched(path) { try FileManager.default.removeItem(atPath: path) }
    }
    #expect(code == .vanished)
  }

  /// Takes one page, lets `touch` act on the file, and takes the rest: the pipe is too small for the document, so the
  /// reader is still at work.
  private func codeWhenTouched(_ path: String, _ touch: () throws -> Void) async -> PDFReadingError.Code? {
    do {
      let reader = PDFPageReader(configuration: configuration(), popplerVersion: "test")
      let reading = try await reader.open(path: path, name: "file.pdf", passwords: [])
      var isFirst = true
      for try await _ in reading.pages {
        if isFirst { try touch() }
        isFirst = false
      }
      return nil
    } catch {
      return (error as? PDFReadingError)?.kind
    }
  }

  @Test(arguments: [
    ("exits", "ended early with status 3"), ("crashes", "crashed with signal 11"),
    ("babbles", "sent a malformed message"), ("floods", ""),
  ])
  func aReaderThatMisbehavesIsNamed(program: String, message: String) async throws {
    let reader = PDFPageReader(
      configuration: PDFReaderConfiguration(readerPath: fixture("readers/\(program)")), popplerVersion: "test")
    let error = await #expect(throws: PDFReadingError.self) {
      _ = try await reader.open(path: fixture("owner-password.pdf"), name: "x.pdf", passwords: [])
    }
    #expect(error?.kind == .readerCrashed)
    #expect(message.isEmpty || error?.message.contains(message) == true)
  }
}
