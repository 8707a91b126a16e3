import Answering
import Core
import QuarryTesting
import Telemetry
import Testing

struct QuestionAnsweringTests {
  @Test func refusesWithoutAskingTheModel_whenNothingIsRelevant() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let (answering, generator) = fixture.generative([])
    let answer = try await answering.answer(
      Question(text: "Which penguin species inhabits Antarctica?"), context: .init())
    #expect(answer.outcome == .refused && generator.requests.isEmpty)
    #expect(!answer.passages.isEmpty)
  }

  @Test(arguments: ["", "  \n\t "]) func anEmptyQuestionIsAnError(_ text: String) async throws {
    await #expect {
      _ = try await Fixture().extractive().answer(Question(text: text), context: .init())
    } throws: { ($0 as? CoreError)?.code == "question.empty" }
  }

  @Test func aQuestionOverTheLimitIsAnError() async throws {
    await #expect {
      _ = try await Fixture().extractive().answer(
        Question(text: String(repeating: "a", count: 4001)), context: .init())
    } throws: { ($0 as? CoreError)?.category == .tooLarge }
  }

  @Test func aForbiddenCollectionIsAnError() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let context = RequestContext(caller: Caller(id: "k", allowedCollections: [CollectionName(rawValue: "other")]))
    await #expect {
      _ = try await fixture.extractive().answer(
        Question(text: "weir", filter: SearchFilter(collections: [.default])), context: context)
    } throws: { ($0 as? CoreError)?.category == .forbidden }
  }

  @Test func aCallerSeesOnlyItsCollections() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let context = RequestContext(caller: Caller(id: "k", allowedCollections: [CollectionName(rawValue: "other")]))
    let found = try await fixture.extractive().search(Question(text: "How high is the weir?"), context: context)
    #expect(found.passages.isEmpty)
  }

  @Test func anUnknownCollectionIsAnErrorThatNamesTheKnownOnes() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    await #expect {
      _ = try await fixture.extractive().search(
        Question(text: "weir", filter: SearchFilter(collections: [CollectionName(rawValue: "defualt")])),
        context: .init())
    } throws: { error in
      let error = error as? CoreError
      return error?.category == .notFound && error?.message.contains("default") == true
    }
  }

  @Test func aGateStopsTheQuestionBeforeAnythingIsEmbedded() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let before = fixture.embedder.embeddedTexts.count
    let answer = try await fixture.extractive(gates: [WordGate(forbidden: "weir")]).answer(
      Question(text: "How high is the weir?"), context: .init())
    #expect(answer.outcome == .blockedInput && answer.text == "no" && answer.passages.isEmpty)
    #expect(fixture.embedder.embeddedTexts.count == before)
  }

  @Test func aGateWithholdsTheAnswerAndItsCitations() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let collector = Collector()
    let answer = try await fixture.extractive(gates: [WordGate(forbidden: "twelve")]).answer(
      Question(text: "How high is the upper weir in metres?"), context: .init()
    ) { await collector.take($0) }
    // Nothing may be streamed before the gate has spoken.
    #expect(await collector.text.isEmpty)
    #expect(await collector.passageEvents == 0)
    #expect(answer.outcome == .blockedOutput && answer.citations.isEmpty && answer.passages.isEmpty)
  }

  @Test func everyAnswerIsRecordedWithWhatExplainsIt() async throws {
    let fixture = Fixture()
    let document = try await fixture.add()
    let answer = try await fixture.extractive().answer(
      Question(text: "How high is the upper weir in metres?"), context: .init(traffic: .evaluation))
    let event = try #require(await fixture.recorded().first)
    #expect(event.answerID == answer.id && event.traffic == .evaluation && event.traceID == answer.traceID)
    guard case .answer(let record) = event.payload else {
      Issue.record("not an answer event")
      return
    }
    #expect(record.outcome == .extractive && record.question == "How high is the upper weir in metres?")
    #expect(record.questionEmbedding?.count == 64 && record.indexGeneration != nil)
    #expect(record.passages.first?.documentID == document.id && record.citations.first?.verified == true)
  }

  @Test func aFailureIsRecordedAndThrown() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    fixture.embedder.fail(with: CoreError(code: "model.down", category: .unavailable, message: "down"))
    await #expect(throws: CoreError.self) {
      _ = try await fixture.extractive().answer(Question(text: "How high is the weir?"), context: .init())
    }
    let event = try #require(await fixture.recorded().first)
    guard case .answer(let record) = event.payload else {
      Issue.record("not an answer event")
      return
    }
    #expect(record.outcome == .failed && record.errorCode == "model.down")
  }

  @Test func anAnswerStands_whenTelemetryFails() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    fixture.events.fail(with: CoreError(code: "disk.full", category: .storageFull, message: "full"))
    let answer = try await fixture.extractive().answer(
      Question(text: "How high is the upper weir in metres?"), context: .init())
    #expect(answer.outcome == .extractive)
    _ = await fixture.recorded()
    #expect(fixture.recorder.counters.failed == 1)
  }
}
