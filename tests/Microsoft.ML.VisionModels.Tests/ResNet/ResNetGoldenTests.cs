using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ResNet;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.ResNet;

/// <summary>torchvision's ResNets, the backbones of the self-supervised methods.</summary>
[Trait("Category", "Golden")]
[Trait("Family", "SelfSupervised")]
public partial class ResNetGoldenTests
{
    private static TheoryData<string> All => [.. GoldenCase.Names().Where(name => name.StartsWith("ssl-resnet", StringComparison.Ordinal))];

    public static TheoryData<string> Cases => GoldenCase.Holding("model.safetensors", All);

    /// <summary>Networks of full size, whose weights follow from a rule.</summary>
    public static TheoryData<string> FullSizes => [.. All.Select(row => row.Data).Except(Cases.Select(row => row.Data))];

    public static TheoryData<string, bool> TrainedCases => new MatrixTheoryData<string, bool>([.. Cases.Select(row => row.Data)], [false, true]);

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void ScoresLikeTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);
        var actual = Run(network, golden.Input("input"));
        foreach (var output in golden.Tensors.Keys.Where(actual.ContainsKey))
            golden.AssertClose(output, actual[output]);
        golden.AssertNoneForgotten(golden.Tensors.Keys.Where(tensor => tensor != "input" && !tensor.StartsWith("train.", StringComparison.Ordinal) && !actual.ContainsKey(tensor)));
    }

    /// <summary>
    /// One training step's forward and backward pass: batch statistics, loss, gradients, and the running statistics that it leaves. A
    /// channel of the last maps has as few as eight values a batch: where such statistics stand one after the other, the gradients of the first
    /// convolution grow large (500 in ssl-resnet50), and the reference's rounding with them. The case has no floors; see <see cref="GoldenCase.AssertClose"/>.
    /// </summary>
    [Theory(SkipTestWithoutData = true), MemberData(nameof(TrainedCases))]
    public void LearnsLikeTheReference(string name, bool gradientCheckpointing)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        var wanted = golden.Matching(Trained()).Select(pair => pair.Tensor).ToArray();
        var (actual, exact) = (Step(golden, wanted, float32, gradientCheckpointing), Step(golden, wanted, float64, gradientCheckpointing));
        foreach (var tensor in wanted)
            golden.AssertClose(tensor, actual[tensor], noise: (actual[tensor].to(float64) - exact[tensor]).abs().max().item<double>());
        golden.AssertNoneForgotten(golden.Tensors.Keys.Where(tensor => tensor.StartsWith("train.", StringComparison.Ordinal) && !Trained().IsMatch(tensor)));
    }

    private static Dictionary<string, Tensor> Step(GoldenCase golden, string[] wanted, ScalarType type, bool gradientCheckpointing)
    {
        using var network = Load(golden);
        network.to(type);
        network.GradientCheckpointing = gradientCheckpointing;
        network.train();
        var logits = network.forward(golden.Input("input").to(type));
        var loss = (logits * logits).mean();
        loss.backward();
        GradientCheckpointing.ThrowIfFailed();

        var (state, parameters) = (network.state_dict(), network.named_parameters().ToDictionary());
        return wanted.Select(tensor => Trained().Match(tensor)).ToDictionary(match => match.Value, match => (match.Groups["what"].Value, match.Groups["name"].Value) switch
        {
            ("logits", _) => logits.detach(),
            ("loss", _) => loss.detach(),
            ("grad", var parameter) => parameters[parameter].grad!.clone(),
            (_, var weight) => state[weight].detach().clone(),
        });
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void ABareFileTellsItsNetwork(string name)
    {
        using var golden = GoldenCase.Open(name);
        var measured = new ResNetModel().Open(golden.File("model.safetensors")).Config;
        var config = golden.Config;
        Assert.Equal(config.Get("block", ""), $"{measured.Block}{(measured.Block == ResNetBlockKind.Basic ? "Block" : "")}");
        Assert.Equal(config.Integers("layers"), measured.Depths);
        Assert.Equal(config.Get("width", 0), measured.Width);
        Assert.Equal([.. Enumerable.Range(0, ResNetConfig.Stages).Select(stage => (config.Get("width", 0) << stage) * config.Get("expansion", 0))], measured.Widths);
        Assert.Equal(config.Get("num_classes", 0), measured.Classes);
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void SavesUnderTorchvisionsNames(string name)
    {
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);
        golden.AssertSavesUnderTheOfficialNames(network, ResNetDialect.Torchvision);
    }

    /// <summary>"Tolerance 1e-3 relative": to the largest number of each tensor.</summary>
    [Theory(SkipTestWithoutData = true), MemberData(nameof(FullSizes))]
    public void OfFullSizeScoresLikeTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var golden = GoldenCase.Open(name);
        var preset = Enum.Parse<ResNetPreset>(golden.Config.Get("model", ""), ignoreCase: true);
        using var network = new ResNetNetwork(ResNetConfig.Of(preset) with { Classes = (int)golden.Tensors["logits"].Shape[1] });
        var order = golden.Config.Texts("tensor_order")!;
        var state = network.state_dict();
        Assert.Equal(order.Order(StringComparer.Ordinal), state.Keys.Order(StringComparer.Ordinal));
        foreach (var (k, tensor) in order.Index())
            state[tensor].copy_(ByRule(tensor, state[tensor].shape, k));
        network.eval();

        var pixels = Uniform([2, 3, 64, 64], 1000).to(float32);
        var actual = Run(network, pixels);
        foreach (var (stage, map) in actual.Where(output => output.Key.StartsWith("tap.", StringComparison.Ordinal) && output.Key != "tap.avgpool").ToArray())
            actual[stage.Replace("tap.", "stats.", StringComparison.Ordinal)] = stack([map.mean(), map.std(), map.abs().max(), map.flatten()[0]]);
        foreach (var tensor in golden.Tensors.Keys)
        {
            var ours = Checked().Match(tensor) is { Success: true } check
                ? (check.Groups["name"].Value == "input" ? pixels : state[check.Groups["name"].Value]).flatten().narrow(0, 0, golden.Tensors[tensor].Shape[0])
                : actual.GetValueOrDefault(tensor);
            if (ours is null)
            {
                golden.AssertNoneForgotten([tensor]);
                continue;
            }
            var theirs = golden.Expected(tensor);
            Assert.InRange(((ours - theirs).abs().max() / theirs.abs().max()).item<float>(), 0, 1e-3f);
        }
    }

    private static ResNetNetwork Load(GoldenCase golden)
    {
        var published = new ResNetModel().Open(golden.File("model.safetensors"));
        return published.Build();
    }

    private static Dictionary<string, Tensor> Run(ResNetNetwork network, Tensor pixels)
    {
        var trace = new Trace();
        var embedding = ResNetNetwork.Embedding(network.Features(pixels, trace));
        var outputs = trace.Tensors.ToDictionary(entry => entry.Key == "stem" ? "tap.maxpool" : $"tap.{entry.Key}", entry => entry.Value);
        outputs["tap.avgpool"] = embedding.unsqueeze(2).unsqueeze(3);
        outputs["logits"] = network.Logits(embedding);
        return outputs;
    }

    /// <summary>The value that the rule of the case's notes gives tensor number k.</summary>
    private static Tensor ByRule(string name, long[] shape, int k)
    {
        var r = Uniform(shape, k);
        return name switch
        {
            _ when name.EndsWith("running_mean", StringComparison.Ordinal) => r.Mul(0.1),
            _ when name.EndsWith("running_var", StringComparison.Ordinal) => r.Mul(0.5).Add(1),
            _ when shape.Length > 1 => r.Mul(Math.Sqrt(3.0 / (r.numel() / shape[0]))),
            _ when name.EndsWith("weight", StringComparison.Ordinal) && (name.Contains("bn", StringComparison.Ordinal) || name.Contains("downsample.1", StringComparison.Ordinal)) => r.Mul(0.2).Add(1),
            _ => r.Mul(0.1),
        };
    }

    /// <summary>2 frac(sin((i + 1) 12.9898 + k 78.233) 43758.5453) - 1.</summary>
    private static Tensor Uniform(long[] shape, int k)
    {
        var count = shape.Aggregate(1L, (product, size) => product * size);
        var values = new double[count];
        for (long i = 0; i < count; i++)
        {
            var x = Math.Sin((i + 1) * 12.9898 + k * 78.233) * 43758.5453;
            values[i] = 2 * (x - Math.Floor(x)) - 1;
        }
        return tensor(values).view(shape);
    }

    [GeneratedRegex(@"^train\.(?<what>logits|loss|grad|after)(\.(?<name>.+))?$")]
    private static partial Regex Trained();

    [GeneratedRegex(@"^check\.(?<name>.+)\[:\d+\]$")]
    private static partial Regex Checked();
}
