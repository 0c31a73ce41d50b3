using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.Diffusion;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

[Trait("Category", "Golden")]
[Trait("Family", "Diffusion")]
public partial class LoraGoldenTests
{
    // NOTES ask for it.
    private const double WeightTolerance = 1e-6;

    private const string Merged = "merged.";

    private const string Kohya = "lora-kohya.safetensors", Peft = "lora-peft.safetensors", OldNames = "lora-diffusers-attn-procs.safetensors";

    public static TheoryData<string> Cases => GoldenCase.For("diffusion-lora");

    public static TheoryData<string> CasesOfKohya => GoldenCase.Holding(Kohya, Cases);

    public static TheoryData<string> CasesOfPeft => GoldenCase.Holding(Peft, Cases);

    public static TheoryData<string> CasesOfBoth => GoldenCase.Holding(Kohya, CasesOfPeft);

    public static TheoryData<string> CasesOfOldNames => GoldenCase.Holding(OldNames, Cases);

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void EqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        using var networks = new Networks(golden);
        var before = networks.Weights();
        Compare("base_");
        foreach (var file in new[] { Kohya, Peft }.Where(golden.HasFile))
        {
            using (Lora.Merge(networks.Targets, (golden.File(file), networks.Multiplier)))
            {
                Compare("");
                var after = networks.Weights();
                foreach (var (tensor, _) in golden.Matching(MergedName()))
                {
                    golden.AssertClose(tensor, after[tensor[Merged.Length..]]);
                    TensorAssert.Close(golden.Expected(tensor), after[tensor[Merged.Length..]], WeightTolerance);
                }
                AssertSame(before.Where(weight => !golden.Has(Merged + weight.Key)).ToDictionary(), after);
            }
            AssertSame(before, networks.Weights());     // to the bit
        }
        golden.AssertNoneForgotten(golden.NotCompared.Except(["sample", "timestep", "encoder_hidden_states", "input_ids", "multiplier"]));

        void Compare(string prefix)
        {
            using var inference = no_grad();
            golden.AssertClose($"{prefix}unet_output", networks.UNet.forward(golden.Input("sample"), golden.Input("timestep"), new() { Words = golden.Input("encoder_hidden_states") }));
            golden.AssertClose($"{prefix}text_output", networks.Text.Read(golden.Input("input_ids")).Tokens);
        }
    }

    /// <summary>The old names are of attention alone.</summary>
    [Theory(SkipTestWithoutData = true), MemberData(nameof(CasesOfOldNames))]
    public void OldNamesChangeTheSameWeights(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        using var networks = new Networks(golden);
        var before = networks.Weights();
        using var merged = Lora.Merge(networks.Targets, (golden.File(OldNames), networks.Multiplier));
        var changed = networks.Weights().Where(weight => !weight.Value.equal(before[weight.Key]).all().item<bool>()).ToArray();
        Assert.NotEmpty(changed);
        Assert.All(changed, weight => TensorAssert.Close(golden.Expected(Merged + weight.Key), weight.Value, WeightTolerance));
        using var file = new LoraFile(golden.File(OldNames));
        Assert.Equal(file.Layers.Count, changed.Length);
    }

    /// <summary>In any order, and with weights of their own.</summary>
    [Theory(SkipTestWithoutData = true), MemberData(nameof(CasesOfBoth))]
    public void SeveralAddUp(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        using var networks = new Networks(golden);
        var before = networks.Weights();
        var (kohya, peft) = (golden.File(Kohya), golden.File(Peft));
        using (Lora.Merge(networks.Targets, (kohya, 0.75 * networks.Multiplier), (peft, 0.25 * networks.Multiplier)))
        {
            var after = networks.Weights();
            Assert.All(golden.Matching(MergedName()), entry => TensorAssert.Close(golden.Expected(entry.Tensor), after[entry.Tensor[Merged.Length..]], WeightTolerance));
        }
        using (Lora.Merge(networks.Targets, (kohya, 1)))
        using (Lora.Merge(networks.Targets, (peft, -1)))
            Assert.All(networks.Weights(), weight => TensorAssert.Close(before[weight.Key], weight.Value, WeightTolerance));
        AssertSame(before, networks.Weights());
    }

    /// <summary>As kohya's and PEFT's files for SDXL call them: the authors' numbers, and the towers by theirs.</summary>
    [Theory(SkipTestWithoutData = true), MemberData(nameof(CasesOfPeft))]
    public void OtherNamesAreReadToo(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        using var networks = new Networks(golden);
        using var folder = TestFolders.Temporary();
        using var file = Checkpoint.Open(golden.File(Peft));
        var authors = LdmDialect.UNet(networks.UNet.Config);
        var diffusers = DiffusersDialect.UNet(networks.UNet.Config);
        var authorsNames = networks.UNet.state_dict().SelectMany(tensor =>
            diffusers.Map(tensor.Key, tensor.Value.shape, "").Parts.Zip(authors.Map(tensor.Key, tensor.Value.shape, "").Parts)).ToDictionary(pair => pair.First, pair => pair.Second);

        Write("kohya.safetensors", (layer, isUNet, isUp) => isUNet
            ? $"lora_unet_{authorsNames[layer + ".weight"][..^".weight".Length].Replace('.', '_')}.lora_{(isUp ? "up" : "down")}.weight"
            : $"lora_te1_{layer.Replace('.', '_')}.lora_{(isUp ? "up" : "down")}.weight");
        Write("diffusers.safetensors", (layer, isUNet, isUp) => $"{(isUNet ? "unet." : "text_encoder.")}{layer}.lora{(isUNet ? "" : "_linear_layer")}.{(isUp ? "up" : "down")}.weight");
        foreach (var other in (string[])["kohya.safetensors", "diffusers.safetensors"])
        {
            using var merged = Lora.Merge(networks.Targets, (folder.File(other), networks.Multiplier));
            var after = networks.Weights();
            Assert.All(golden.Matching(MergedName()), entry => TensorAssert.Close(golden.Expected(entry.Tensor), after[entry.Tensor[Merged.Length..]], WeightTolerance));
        }

        void Write(string to, Func<string, bool, bool, string> rename) => SafetensorsWriter.Write(folder.File(to), file.Tensors.Keys.Select(tensor =>
        {
            var match = PeftName().Match(tensor);
            return (rename(match.Groups["layer"].Value, match.Groups["part"].Value == "unet", match.Groups["side"].Value == "B"), file.Read(tensor));
        }));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(CasesOfKohya))]
    public void ALoraForAnotherModelIsRefused(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        using var networks = new Networks(golden);
        using var folder = TestFolders.Temporary();
        var before = networks.Weights();
        var config = networks.UNet.Config;
        using var wider = new UNet(config with { ContextWidths = [.. config.ContextWidths!.Select(width => 2 * width)] });
        Assert.Contains("another model", Refused([LoraTarget.Of(wider), LoraTarget.Of(networks.Text)], golden.File(Kohya)), StringComparison.Ordinal);
        Assert.Contains("lora_te_text_model", Refused([LoraTarget.Of(networks.UNet)], golden.File(Kohya)), StringComparison.Ordinal);

        SafetensorsWriter.Write(folder.File("other.safetensors"), [("lora_unet_conv_in.hada_w1_a", ones(2, 2))]);
        Assert.Contains("hada_w1_a", Refused(networks.Targets, folder.File("other.safetensors")), StringComparison.Ordinal);
        SafetensorsWriter.Write(folder.File("half.safetensors"), [("lora_unet_conv_in.lora_down.weight", ones(2, 2))]);
        Assert.Contains("lora_unet_conv_in", Refused(networks.Targets, folder.File("half.safetensors")), StringComparison.Ordinal);
        AssertSame(before, networks.Weights());

        static string Refused(IReadOnlyList<LoraTarget> targets, string file) => Assert.Throws<CheckpointException>(() => Lora.Merge(targets, (file, 1))).Message;
    }

    private static void AssertSame(Dictionary<string, Tensor> expected, Dictionary<string, Tensor> actual) =>
        Assert.All(expected, weight => Assert.True(weight.Value.equal(actual[weight.Key]).all().item<bool>(), weight.Key));

    [GeneratedRegex(@"\Amerged\.")]
    private static partial Regex MergedName();

    [GeneratedRegex(@"\A(?<part>unet|text_encoder)\.(?<layer>.+)\.lora_(?<side>A|B)\.weight\z")]
    private static partial Regex PeftName();

    /// <summary>The case's U-Net and text tower.</summary>
    private sealed class Networks : IDisposable
    {
        public Networks(GoldenCase golden)
        {
            using var unet = UnwrappedCheckpoint.Under(golden.OpenModel(), "unet.");
            UNet = new UNetModel().Load(unet, UNetConfig.FromDiffusers(golden.Config.GetProperty("unet")));
            using var text = UnwrappedCheckpoint.Under(golden.OpenModel(), "text_encoder.");
            Text = new ClipTextModel().Load(text, ClipTextModel.Read(golden.Config.GetProperty("text_encoder"), text.Tensors));
            Multiplier = golden.Config.GetProperty("multiplier").GetDouble();
        }

        public UNet UNet { get; }

        public ClipTextNetwork Text { get; }

        public double Multiplier { get; }

        public LoraTarget[] Targets => [LoraTarget.Of(UNet), LoraTarget.Of(Text)];

        /// <summary>Copies of all weights in the reference's names.</summary>
        public Dictionary<string, Tensor> Weights() => Named(UNet, DiffusersDialect.UNet(UNet.Config), "unet.").Concat(Named(Text, ClipDialect.TextTower[0], "text_encoder.")).ToDictionary();

        public void Dispose()
        {
            UNet.Dispose();
            Text.Dispose();
        }

        private static IEnumerable<KeyValuePair<string, Tensor>> Named(nn.Module network, Dialect dialect, string prefix)
        {
            foreach (var (name, tensor) in network.state_dict())
            {
                var map = dialect.Map(name, tensor.shape, "");
                for (var part = 0; part < map.Parts.Length; part++)
                    yield return new(prefix + map.Parts[part], CheckpointLoader.PartOf(tensor, map, part).detach().reshape(map.PartShape).clone());
            }
        }
    }
}
