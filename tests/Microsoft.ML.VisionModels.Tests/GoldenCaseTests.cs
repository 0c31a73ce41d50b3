using Microsoft.ML.VisionModels.Core;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests;

public class GoldenCaseTests
{
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
        var name = GoldenCase.Names().FirstOrDefault(name => GoldenCase.Belongs(name, "vit-classifier"));
        Assert.SkipWhen(name is null, "There is no vit-classifier case here.");
        using var scope = torch.NewDisposeScope();
        using var golden = GoldenCase.Open(name);

        var logits = golden.Expected("logits");
        golden.AssertClose("logits", logits.Add(1e-5));
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => golden.AssertClose("logits", logits.Add(1e-3)));
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => golden.AssertClose("logits", logits.Mul(double.NaN)));
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => golden.AssertClose("logits", logits.t()));
    }

    [Fact]
    public void AForgottenTensorFails()
    {
        var name = GoldenCase.Names().FirstOrDefault(name => GoldenCase.Belongs(name, "vit-classifier"));
        Assert.SkipWhen(name is null, "There is no vit-classifier case here.");
        using var golden = GoldenCase.Open(name);

        var others = golden.Tensors.Keys.Where(tensor => tensor.StartsWith("out.", StringComparison.Ordinal) && tensor != "out.logits");
        var reasons = others.Select(tensor => (tensor["out.".Length..], "not under test")).ToArray();

        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => golden.AssertAllCompared(reasons));
        using var logits = golden.Expected("logits");
        golden.AssertClose("logits", logits);
        golden.AssertAllCompared(reasons);
    }
}
