using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests;

public sealed class GoldenCaseTests : IDisposable
{
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();

    public GoldenCaseTests()
    {
        using var logits = torch.ones(2, 3);
        using var input = torch.zeros(2, 3);
        SafetensorsWriter.Write(_folder.File("io.safetensors"), [("in.pixel_values", input), ("out.logits", logits), ("out.hidden_states.0", input)]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void CasesAreFoundByPrefixAndHyphen()
    {
        Assert.True(GoldenCase.Belongs("vit-classifier", "vit-classifier"));
        Assert.True(GoldenCase.Belongs("vit-classifier-nonsquare", "vit-classifier"));
        Assert.False(GoldenCase.Belongs("vit-classifiers", "vit-classifier"));
        Assert.False(GoldenCase.Belongs("dinov2", "dino"));
    }

    [Fact]
    public void ADifferenceAboveTheToleranceFails()
    {
        using var scope = torch.NewDisposeScope();
        using var golden = GoldenCase.OpenFolder(_folder.Path);

        var logits = golden.Expected("logits");
        golden.AssertClose("logits", logits.Add(1e-5));
        foreach (var wrong in new[] { logits.Add(1e-3), logits.Mul(double.NaN), logits.t() })
            Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => golden.AssertClose("logits", wrong));
    }

    [Fact]
    public void TheNoiseOfTheReferenceIsAllowedTenTimes()
    {
        File.WriteAllText(_folder.File("floors.json"), """{ "out.logits": 1e-3, "note": "not a number" }""");
        using var scope = torch.NewDisposeScope();
        using var golden = GoldenCase.OpenFolder(_folder.Path);

        var logits = golden.Expected("logits");
        golden.AssertClose("logits", logits.Add(9e-3));
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => golden.AssertClose("logits", logits.Add(11e-3)));
    }

    [Fact]
    public void AForgottenTensorFails()
    {
        using var scope = torch.NewDisposeScope();
        using var golden = GoldenCase.OpenFolder(_folder.Path);
        var excuse = ("hidden_states.0", "not under test");

        Assert.Equal(["hidden_states.0", "logits"], golden.Outputs.Order(StringComparer.Ordinal));
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => golden.AssertAllCompared(excuse, ("logits", "not either")));      // nothing at all was compared
        golden.AssertCloseWherePresent(new Dictionary<string, torch.Tensor> { ["logits"] = golden.Expected("logits"), ["attentions.0"] = golden.Input("pixel_values") });
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => golden.AssertAllCompared());
        golden.AssertAllCompared(excuse);
    }
}
