import Core
import Ingestion
import QuarryTesting
import Testing

/// Sources in given states.
private struct Sources: SourceProbe, DocumentBytes {
  var states: [SourceURI: SourceState]
  var category: ErrorCategory?

  func state(of uri: SourceURI, version: ContentVersion) async -> SourceState { states[uri] ?? .missing }

  func file(for version: ContentVersion, uri: SourceURI) async throws -> String {
    if let category { throw CoreError(code: "bytes", category: category, message: "not these bytes") }
    return "/file"
  }
}

@Suite struct SourceVerificationTests {
  private let file = Sample.document("a.pdf")
  private let upload = Document(
    id: DocumentID(rawValue: "upload"), collection: .default, uri: SourceURI(rawValue: "upload://default/b.pdf"),
    generation: 0, version: ContentVersion(rawValue: "v"))

  private func codes(
    _ document: Document, _ state: SourceState, bytes: ErrorCategory? = nil, isDeep: Bool = false
  ) async throws -> [String: IntegrityFinding.Severity] {
    let index = InMemoryDocumentIndex()
    try await index.commit(Sample.indexed(document, stamp: "stamp-1"))
    let sources = Sources(states: [document.uri: state], category: bytes)
    let report = try await SourceVerification(index: index, probe: sources, bytes: sources).run(isDeep: isDeep) { _ in }
    #expect(report.examined == ["sources": 1])
    return Dictionary(uniqueKeysWithValues: report.findings.map { ($0.code, $0.severity) })
  }

  @Test func whatIsUnchangedIsNoFinding() async throws {
    #expect(try await codes(file, .present(stamp: "stamp-1")) == [:])
    #expect(try await codes(file, .present(stamp: "stamp-1"), isDeep: true) == [:])
    #expect(try await codes(upload, .kept, isDeep: true) == [:])
    #expect(try await codes(file, .unknown) == [:])
  }

  @Test func aSourceThatChangedIsANotice() async throws {
    #expect(try await codes(file, .missing) == ["source.missing": .notice])
    #expect(try await codes(file, .unreadable("no permission")) == ["source.unreadable": .notice])
    #expect(
      try await codes(file, .present(stamp: "stamp-2"), bytes: .gone, isDeep: true) == ["source.changed": .notice])
  }

  @Test func otherBytesUnderTheSameStampAreAnError_foundWhenDeep() async throws {
    #expect(try await codes(file, .present(stamp: "stamp-1"), bytes: .gone) == [:])
    #expect(
      try await codes(file, .present(stamp: "stamp-1"), bytes: .gone, isDeep: true) == ["source.other_bytes": .error])
  }

  @Test func anUploadHasNoOtherSource() async throws {
    #expect(try await codes(upload, .missing) == ["original.missing": .error])
    #expect(try await codes(upload, .kept, bytes: .corrupt, isDeep: true) == ["original.damaged": .error])
  }
}
