using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Tests.Sam;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

/// <summary>Every family's networks under every publisher's names, with what frameworks put before, into and beside them.</summary>
public class PublishedNamesTests
{
    private static readonly (string Name, IFamily Family)[] s_families =
    [
        ("ViT", new Family<ViTConfig, ViTNetwork>(new ViTModel(default), "vit-classifier")),
        ("ViT with a pooler", new Family<ViTConfig, ViTNetwork>(new ViTModel(default), "vit-featurizer")),
        ("DeiT", new Family<ViTConfig, ViTNetwork>(new ViTModel(default), "deit")),
        ("DINOv2 with SwiGLU", new Family<ViTConfig, ViTNetwork>(new ViTModel(default), "dinov2-giant")),
        ("Swin", new Family<SwinConfig, SwinNetwork>(new SwinModel(default), "swin-classifier")),
        ("Swin V2", new Family<SwinConfig, SwinNetwork>(new SwinModel(default), "swinv2-classifier")),
        ("Swin's backbone", new Family<SwinConfig, SwinNetwork>(new SwinModel(default), "swin-backbone")),
        ("CLIP", new Family<ClipConfig, ClipNetwork>(new ClipModel(), "clip")),
        ("SigLIP", new Family<ClipConfig, ClipNetwork>(new ClipModel(), "siglip")),
        ("SAM", new Family<SamConfig, SamNetwork>(new SamModel(), "sam")),
        ("MobileSAM", new Family<SamConfig, SamNetwork>(new SamModel(), MobileSam)),
    ];

    public static TheoryData<string> Families => [.. s_families.Select(family => family.Name)];

    [Theory, MemberData(nameof(Families))]
    public void WrappersDoNotHideTheNames(string name)
    {
        var family = Find(name);
        string[] wrappers = ["module.", "_orig_mod.", "model.", "net.", "module._orig_mod.", "_orig_mod.module.model.", "student.", "teacher.backbone.", "classifier.encoder."];
        foreach (var wrapper in wrappers)
            Assert.Equal([], Said(() => family.AssertReads(tensors => tensors.Select(tensor => (wrapper + tensor.Name, tensor.Value)))));
    }

    [Theory, MemberData(nameof(Families))]
    public void WrappersWithinTheNamesAreTakenOut(string name) => Find(name).AssertReads(tensors => tensors.Select(tensor =>
        ("_forward_module." + tensor.Name.Replace(".0.", ".0._orig_mod.", StringComparison.Ordinal).Replace(".1.", ".1._checkpoint_wrapped_module.", StringComparison.Ordinal), tensor.Value)));

    [Theory, MemberData(nameof(Families))]
    public void WhatLiesBesideTheNetworkIsToldAndPassedOver(string name)
    {
        var said = Said(() => Find(name).AssertReads(tensors => [("n_averaged", zeros(1)), .. tensors.Select(tensor => ("module." + tensor.Name, tensor.Value)), ("criterion.weight", zeros(3))]));
        Assert.All(said, sentence => Assert.Contains("2 other tensors: 'n_averaged', 'criterion.weight'", sentence));
        Assert.NotEmpty(said);
    }

    [Theory, MemberData(nameof(Families))]
    public void WithoutAWrapperNothingIsPassedOver(string name) =>
        Assert.Contains("stranger", Assert.Throws<CheckpointException>(() => Find(name).AssertReads(tensors => [.. tensors, ("stranger.weight", zeros(3))])).Message);

    [Theory, MemberData(nameof(Families))]
    public void OfANetworkAndItsAverageTheOneIsReadThatWasAskedFor(string name)
    {
        foreach (var (trained, averaged) in new[] { ("student.module.", "teacher."), ("", "ema_model.module."), ("model.", "model_ema."), ("module.base_encoder.", "module.momentum_encoder.") })
        {
            foreach (var asked in Enum.GetValues<CheckpointWeights>())
            {
                var (meant, other) = asked == CheckpointWeights.Trained ? (trained, averaged) : (averaged, trained);
                var said = Said(() => Find(name).AssertReads(tensors =>
                [
                    .. tensors.Select(tensor => (meant + tensor.Name, tensor.Value)), .. tensors.Select(tensor => (other + tensor.Name, zeros_like(tensor.Value))),
                ], asked));
                Assert.NotEmpty(said);
                Assert.All(said, sentence =>
                {
                    Assert.Contains($"'{meant}' is read", sentence);
                    Assert.Contains(nameof(CheckpointWeights), sentence);
                });
            }
        }
    }

    [Theory, MemberData(nameof(Families))]
    public void OfTwoNetworksNoneIsGuessed(string name)
    {
        var error = Assert.Throws<CheckpointException>(() => Find(name).AssertReads(tensors =>
            [.. tensors.Select(tensor => ("first." + tensor.Name, tensor.Value)), .. tensors.Select(tensor => ("second." + tensor.Name, tensor.Value))]));
        Assert.Contains("'first.', 'second.'", error.Message);
    }

    [Theory]
    [InlineData("shared_image_embedding.positional_embedding")]
    [InlineData("prompt_encoder.shared_embedding.positional_embedding")]
    [InlineData("both")]
    public void ATiedTensorIsReadUnderEitherName(string kept)
    {
        const string Written = "shared_image_embedding.positional_embedding", Other = "prompt_encoder.shared_embedding.positional_embedding";
        var replaced = 0;
        Find("SAM").AssertReads(tensors => tensors.SelectMany<(string Name, Tensor Value), (string, Tensor)>(tensor =>
        {
            replaced += tensor.Name == Written ? 1 : 0;
            return tensor.Name != Written ? [tensor] : kept == "both" ? [tensor, (Other, tensor.Value)] : [(kept, tensor.Value)];
        }));
        Assert.Equal(1, replaced);      // once in Hugging Face's names, and not in Meta's
    }

    [Fact]
    public void ATiedTensorThatIsNotTheSameInBothPlacesIsAnError()
    {
        var error = Assert.Throws<CheckpointException>(() => Find("SAM").AssertReads(tensors =>
            tensors.SelectMany<(string Name, Tensor Value), (string, Tensor)>(tensor => tensor.Name == "shared_image_embedding.positional_embedding"
                ? [tensor, ("prompt_encoder.shared_embedding.positional_embedding", tensor.Value.Add(1))] : [tensor])));
        Assert.Contains("different: 'shared_image_embedding.positional_embedding' and 'prompt_encoder.shared_embedding.positional_embedding'", error.Message);
    }

    private static SamNetwork MobileSam()
    {
        using var generator = new Generator(1);
        var tiny = SamContractSetup.Tiny(64) with { Vision = null, TinyVit = TinyVitEncoderTests.Tiny with { ImageSize = 64, OutputChannels = 16 } };
        return new SamNetwork(tiny).Initialize(generator);
    }

    private static IFamily Find(string name) => s_families.First(family => family.Name == name).Family;

    private static List<string> Said(Action action)
    {
        var said = new List<string>();
        using (Notices.To(new NoticeLog(said.Add)))
            action();
        return said;
    }

    private interface IFamily
    {
        /// <summary>Saves a network in each publisher's names, changes the file, and fails unless the same network is read from it.</summary>
        void AssertReads(Func<List<(string Name, Tensor Value)>, IEnumerable<(string, Tensor)>> change, CheckpointWeights weights = CheckpointWeights.Trained);
    }

    private sealed class Family<TConfig, TNetwork>(PublishedFormat<TConfig, TNetwork> format, Func<TNetwork> make) : IFamily
        where TConfig : class
        where TNetwork : nn.Module, INetwork<TConfig, TNetwork>
    {
        public Family(PublishedFormat<TConfig, TNetwork> format, string golden) : this(format, () => format.Open(Path.Combine(TestFolders.OwnGolden, golden)).Build())
        {
        }

        public void AssertReads(Func<List<(string Name, Tensor Value)>, IEnumerable<(string, Tensor)>> change, CheckpointWeights weights)
        {
            using var scope = NewDisposeScope();
            using var folder = TestFolders.Temporary();
            using var network = make();
            foreach (var (index, dialect) in format.Dialects(network.Config).Index())
            {
                CheckpointLoader.Save(network, dialect, folder.File("plain.safetensors"));
                var path = folder.File($"{index}.safetensors");
                using (var plain = Checkpoint.Open(folder.File("plain.safetensors")))
                    SafetensorsWriter.Write(path, [.. change([.. plain.Tensors.Keys.Select(name => (name, plain.Read(name)))])]);

                using var file = format.OpenWeights(ModelFolder.Open(path), weights);
                using var prepared = format.Prepare(file);
                var found = Dialect.For(prepared, format.Dialects(network.Config));
                Assert.Equal(dialect.Name, found.Name);
                using var read = format.Create(network.Config, prepared, generator: null, newHead: false);
                CheckpointLoader.Load(read, prepared, found);
                Assert.All(network.state_dict(), tensor => Assert.True(tensor.Value.equal(read.state_dict()[tensor.Key]).all().item<bool>(), $"{dialect.Name} {tensor.Key}"));
            }
        }
    }
}
