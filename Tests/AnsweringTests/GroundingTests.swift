import Answering
import Core
import QuarryTesting
import Testing

struct ExtractiveAnswererTests {
  @Test func quotesTheSentenceThatAnswers() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let answer = try await fixture.extractive().answer(
      Question(text: "How high is the upper weir in metres?"), context: .init())
    #expect(answer.outcome == .extractive && answer.model == nil)
    let first = try #require(answer.citations.first)
    #expect(first.quote == "The upper weir is twelve metres high." && first.isVerified)
    #expect(first.pages == [PageRange(page: 1, range: 0..<37)])
    #expect(answer.text.contains("[1]"))
  }

  @Test func rejectsACitation_whenTheStoredTextWasAltered() async throws {
    let fixture = Fixture()
    let document = try await fixture.add(["The upper weir is twelve metres high."])
    await fixture.index.alterText(
      ofPage: 1, of: document.id, to: "The upper weir is thirty metres high.")
    let answer = try await fixture.extractive().answer(
      Question(text: "How high is the upper weir in metres?"), context: .init())
    #expect(answer.citations.isEmpty && answer.outcome == .refused)
    #expect(answer.warnings.contains { $0.code == "citation.rejected" })
  }
}

struct GenerativeAnswererTests {
  private let question = Question(text: "How high is the upper weir in metres?")

  @Test func verifiesQuotesAndHidesThemFromTheText() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let (answering, generator) = fixture.generative([
      .text("The upper weir is twelve metres high [1: \"upper weir is twelve metres\"].")
    ])
    let answer = try await answering.answer(question, context: .init())
    #expect(answer.outcome == .answered && answer.model == generator.model)
    #expect(answer.text == "The upper weir is twelve metres high [1].")
    #expect(answer.citations.map(\.quote) == ["upper weir is twelve metres"])
    #expect(answer.citations[0].isVerified && answer.citations[0].pages[0].range == 4..<31)
    #expect(answer.warnings.isEmpty)
  }

  @Test func aQuoteThatIsNotOnThePageIsNotVerified() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let (answering, _) = fixture.generative([
      .text("The upper weir is forty metres high [1: \"upper weir is forty metres\"].")
    ])
    let answer = try await answering.answer(question, context: .init())
    #expect(answer.citations.count == 1 && !answer.citations[0].isVerified)
    #expect(answer.warnings.contains { $0.code == "citation.unverified" })
  }

  @Test func unknownNumbersAndUnsupportedSentencesAreFlagged() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let (answering, _) = fixture.generative([
      .text("The upper weir is twelve metres high [1]. Penguins inhabit the northern spillway [9].")
    ])
    let answer = try await answering.answer(question, context: .init())
    #expect(answer.warnings.map(\.code).sorted() == ["citation.unknown_number", "grounding.unsupported"])
    #expect(answer.warnings.contains { $0.message.contains("Penguins") })
    #expect(answer.citations.map(\.number) == [1])
    // The number that is no passage is not shown.
    #expect(answer.text == "The upper weir is twelve metres high [1]. Penguins inhabit the northern spillway.")
    #expect(answer.sentences.map(\.reason) == [nil, .unknownCitation])
    let scalars = Array(answer.text.unicodeScalars)
    let words = answer.sentences.map { sentence in
      String(String.UnicodeScalarView(scalars[sentence.start..<sentence.end]))
    }
    #expect(
      words == ["The upper weir is twelve metres high [1].", "Penguins inhabit the northern spillway."])
  }

  @Test func aBareNumberIsGroundedInTheSentenceThatFits() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let (answering, _) = fixture.generative([.text("The authority built the weir in 1962. [1]")])
    let answer = try await answering.answer(question, context: .init())
    #expect(answer.citations.map(\.quote) == ["It was built in 1962 by the river authority."])
    #expect(answer.citations[0].isVerified && answer.warnings.isEmpty)
  }

  @Test(arguments: ["NO_ANSWER", " NO_ANSWER.\n"]) func theModelMayDecline(_ text: String) async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let (answering, _) = fixture.generative([.text(text)])
    let answer = try await answering.answer(question, context: .init())
    #expect(answer.outcome == .refused && answer.citations.isEmpty && !answer.text.contains("NO_ANSWER"))
  }

  @Test func anAnswerThatOnlyBeginsLikeARefusalIsShownWhole() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let (answering, _) = fixture.generative([.text("NO one knows, but the upper weir is twelve metres high [1].")])
    let answer = try await answering.answer(question, context: .init())
    #expect(answer.outcome == .answered && answer.text.hasPrefix("NO one knows"))
  }

  @Test func streamedTokensAreTheAnswersText() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let (answering, _) = fixture.generative([
      .text("Twelve metres [1: \"twelve metres high\"], says the manual [1].")
    ])
    let collector = Collector()
    let answer = try await answering.answer(question, context: .init()) { await collector.take($0) }
    #expect(await collector.text == answer.text)
    #expect(await collector.passageEvents == 1)
    #expect(await collector.passagesCameFirst)
  }

  @Test func laterTurnsCarryTheConversation() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let (answering, generator) = fixture.generative([
      .text("Twelve metres [1]."), .text("In 1962 [1]."),
    ])
    let id = ConversationID(rawValue: "c1")
    _ = try await answering.answer(
      Question(text: "How high is the upper weir?", conversation: id), context: .init())
    let second = try await answering.answer(
      Question(text: "And when was it built?", conversation: id), context: .init())
    #expect(second.conversation == id)
    #expect(
      generator.requests[1].turns.prefix(2).map(\.text) == ["How high is the upper weir?", "Twelve metres [1]."])
    let last = try #require(generator.requests[1].turns.last?.text)
    #expect(last.contains("And when was it built?") && !last.contains("How high is the upper weir?"))
    // "it" alone finds nothing: the search knew the question before.
    #expect(second.passages.first?.chunk.text.contains("1962") == true)
  }

  @Test func conversationsOfOtherCallersAreNotSeen() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let (answering, generator) = fixture.generative([.text("A [1]."), .text("B [1].")])
    let id = ConversationID(rawValue: "c1")
    let question = Question(text: "How high is the upper weir?", conversation: id)
    _ = try await answering.answer(question, context: .init(caller: Caller(id: "one")))
    _ = try await answering.answer(question, context: .init(caller: Caller(id: "two")))
    #expect(generator.requests[1].turns.count == 1)
  }

  @Test func passagesThatDoNotFitAreDroppedWithAWarning() async throws {
    let fixture = Fixture()
    let long = (1...150).map { "weir\($0)" }.joined(separator: " ")
    _ = try await fixture.add(["The upper weir. \(long)", "The upper weir too. \(long) x", "Upper weir. \(long) y"])
    let generator = ScriptedTextGenerator([.text("The upper weir [1].")])
    let answering = fixture.answering(
      GenerativeAnswerer(generator: generator, index: fixture.index, promptTokens: 1200))
    let answer = try await answering.answer(Question(text: "the upper weir"), context: .init())
    let prompt = try #require(generator.requests.first?.turns.last?.text)
    #expect((1...2).contains(prompt.components(of: "<passage-")))
    #expect(answer.warnings.contains { $0.code == "prompt.passages_dropped" })
  }
}

extension String {
  func components(of needle: String) -> Int { ranges(of: needle).count }
}

actor Collector {
  private(set) var text = ""
  private(set) var passageEvents = 0
  private(set) var passagesCameFirst = true

  func take(_ progress: AnswerProgress) {
    switch progress {
    case .passages:
      passageEvents += 1
      if !text.isEmpty { passagesCameFirst = false }
    case .token(let piece): text += piece
    }
  }
}
