import Core
import Testing

@Suite struct CurrentPipelineTests {
  private static let base = PipelineVersion(rawValue: "reader-1/hygiene-1/chunks-1")
  private static let off = CurrentPipeline(base: base)
  private static let on = CurrentPipeline(
    base: base, recognition: .init(version: "eyes-1", limitsVersion: "a", coverages: [.imageOnly]))

  @Test func turningRecognitionOn_makesOnlyDocumentsWithImagesStale() {
    #expect(Self.on.isCurrent(Self.base, coverage: [.text: 3, .empty: 1, .garbled: 1, .imageOnly: 0]))
    #expect(!Self.on.isCurrent(Self.base, coverage: [.text: 3, .imageOnly: 1]))
  }

  @Test func turningRecognitionOff_makesNothingStale() throws {
    for version in [try #require(Self.on.recognized), try #require(Self.on.partlyRecognized), Self.base] {
      #expect(Self.off.isCurrent(version, coverage: [.imageOnly: 1]))
    }
    #expect(!Self.off.isCurrent(PipelineVersion(rawValue: "reader-1/hygiene-1/chunks-12"), coverage: [:]))
  }

  @Test func pagesThatWereLookedAt_areNotTriedAgain_untilSomethingChanges() throws {
    let done = try #require(Self.on.recognized)
    let failed = try #require(Self.on.partlyRecognized)
    #expect(Self.on.isCurrent(done, coverage: [.imageOnly: 1]))
    #expect(Self.on.isCurrent(failed, coverage: [.imageOnly: 1]))
    var wider = Self.on
    wider.recognition?.limitsVersion = "b"
    #expect(wider.isCurrent(done, coverage: [.imageOnly: 1]))
    #expect(!wider.isCurrent(failed, coverage: [.imageOnly: 1]))
    var newer = Self.on
    newer.recognition?.version = "eyes-2"
    #expect(!newer.isCurrent(done, coverage: [.text: 1]))
  }
}
