using System.Text.Json;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Text;

namespace Microsoft.ML.VisionModels.Tests.Text;

/// <summary>Small models that google/sentencepiece trained, and what it makes of texts with them (tests/SentencePiece).</summary>
internal static class SentencePieceCases
{
    private static readonly JsonElement s_cases = JsonDocument.Parse(System.IO.File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "SentencePiece", "cases.json"))).RootElement;

    public static string File(string model) => Path.Combine(AppContext.BaseDirectory, "SentencePiece", model + ".model");

    public static string[] Texts => s_cases.GetProperty("texts").Deserialize<string[]>()!;

    public static T Expected<T>(string model, string what) => s_cases.GetProperty(model).GetProperty(what).Deserialize<T>()!;

    public static SentencePieceTokenizer Open(string model) => SentencePieceTokenizer.Load(File(model));

    public static SigLipTokenizer OpenSigLip() => new(System.IO.File.ReadAllBytes(File("siglip")), lowerCase: true, "siglip");
}
