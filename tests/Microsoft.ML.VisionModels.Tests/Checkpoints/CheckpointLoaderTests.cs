using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Linear = TorchSharp.Modules.Linear;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

public class CheckpointLoaderTests
{
    private static readonly Dialect s_publisher = new("a publisher")
    {
        Prefixes = ["model."],
        Rules = [("blocks.*.qkv.*", "layer.*.{query,key,value}.*"), new("blocks.*.out.weight", "layer.*.out") { Transpose = true }, ("blocks.*.out.bias", "layer.*.out_bias"), new("scale", "gamma") { Reshape = shape => [1, .. shape] }],
        Heads = [("head.*", "classifier.*")],
        Ignored = ["**.position_ids"],
    };

    [Theory]
    [InlineData("model.")]
    [InlineData("")]
    public void ForeignTensorsFindTheirPlaces(string prefix)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        var (query, key, value, output) = (rand(2, 2), rand(2, 2), rand(2, 2), rand(2, 2));
        using var file = Write(folder, prefix, query, key, value, output);
        using var network = new Network(labels: 3);

        Assert.Empty(CheckpointLoader.Load(network, file, s_publisher));

        var state = network.state_dict();
        Assert.True(state["blocks.0.qkv.weight"].equal(cat([query, key, value])).all().item<bool>());
        Assert.True(state["blocks.0.out.weight"].equal(output.t()).all().item<bool>());
        Assert.Equal([5f, 6f], state["scale"].data<float>().ToArray());
        Assert.Equal([4f, 4f, 4f], state["head.bias"].data<float>().ToArray());
        Assert.True(state["head.bias"].requires_grad);
    }

    [Fact]
    public void WhatIsSavedHasThePublishersNamesAndLoadsBack()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        using var network = new Network(labels: 3);
        using var copy = new Network(labels: 3);

        CheckpointLoader.Save(network, s_publisher, folder.File("saved.safetensors"));

        using var file = Checkpoint.Open(folder.File("saved.safetensors"));
        var promised = s_publisher.ForeignTensors(network.state_dict().Select(entry => (entry.Key, entry.Value.shape)));
        Assert.Equal(
            promised.Select(tensor => $"{tensor.Name} {tensor.Shape.Text()}").Order(),
            file.Tensors.Values.Select(info => $"{info.Name} {info.Shape.Text()}").Order());
        Assert.Contains("model.layer.0.key.weight", file.Tensors.Keys);
        Assert.Contains("classifier.weight", file.Tensors.Keys);

        CheckpointLoader.Load(copy, file, s_publisher);
        foreach (var (name, value) in network.state_dict())
            Assert.True(value.equal(copy.state_dict()[name]).all().item<bool>(), name);
    }

    [Theory]
    [InlineData("tok", "")]
    [InlineData("head", "")]
    [InlineData("tok head", "")]
    [InlineData("tok head", "different: 'tok.b' and 'head.b'")]
    [InlineData("", "missing: 'tok.a'")]
    public void ATiedTensorIsReadWhereverItIs(string places, string problem)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        var (a, b) = (rand(1), rand(1));
        List<(string, Tensor)> tensors = [("other", zeros(1))];
        foreach (var place in places.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            tensors.AddRange([($"{place}.a", a), ($"{place}.b", place == "head" && problem.Length > 0 ? b.Add(1) : b)]);
        SafetensorsWriter.Write(folder.File("a.safetensors"), tensors);
        using var file = Checkpoint.Open(folder.File("a.safetensors"));
        using var network = new Tied();
        var dialect = new Dialect("a publisher") { Rules = [("shared", "tok.{a,b} | head.{a,b}"), ("other", "other")] };

        if (problem.Length > 0)
        {
            Assert.Contains(problem, Assert.Throws<CheckpointException>(() => CheckpointLoader.Load(network, file, dialect)).Message);
            return;
        }
        CheckpointLoader.Load(network, file, dialect);
        Assert.True(network.state_dict()["shared"].equal(cat([a, b])).all().item<bool>());
        CheckpointLoader.Save(network, dialect, folder.File("saved.safetensors"));
        using var saved = Checkpoint.Open(folder.File("saved.safetensors"));
        Assert.Equal(["other", "tok.a", "tok.b"], saved.Tensors.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void AllProblemsAreToldAtOnceAndNothingIsTouched()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        SafetensorsWriter.Write(
            folder.File("a.safetensors"),
            [("layer.0.query.weight", zeros(2, 2)), ("layer.0.key.weight", zeros(3, 2)), ("layer.0.value.weight", zeros(2, 2)), ("stranger", zeros(7))]);
        using var file = Checkpoint.Open(folder.File("a.safetensors"));
        using var network = new Network(labels: 3);
        var before = network.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.clone());

        var message = Assert.Throws<CheckpointException>(() => CheckpointLoader.Load(network, file, s_publisher)).Message;

        Assert.Contains("a.safetensors", message);
        Assert.Contains("mis-shaped: 'layer.0.key.weight' is [3, 2], expected [2, 2] (the network's 'blocks.0.qkv.weight' [6, 2])", message);
        Assert.Contains("missing: 'layer.0.query.bias' [2]", message);
        Assert.Contains("missing: 'classifier.weight' [3, 2]", message);
        Assert.Contains("unknown: 'stranger' [7]", message);
        foreach (var (name, value) in network.state_dict())
            Assert.True(value.equal(before[name]).all().item<bool>(), name);
    }

    [Fact]
    public void AHeadOfAnotherSizeMayStay()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        using var file = Write(folder, "", rand(2, 2), rand(2, 2), rand(2, 2), rand(2, 2));
        using var network = new Network(labels: 5);
        using var headless = new Network(labels: 0);

        Assert.Throws<CheckpointException>(() => CheckpointLoader.Load(network, file, s_publisher));
        Assert.Equal(["head.weight", "head.bias"], CheckpointLoader.Load(network, file, s_publisher, "head.*"));

        Assert.Throws<CheckpointException>(() => CheckpointLoader.Load(headless, file, s_publisher));
        Assert.Empty(CheckpointLoader.Load(headless, file, s_publisher, "head.*"));
    }

    [Fact]
    public void LoadsFromAStreamThatOnlyGoesForward()
    {
        using var scope = NewDisposeScope();
        using var buffer = new MemoryStream();
        using var network = new Network(labels: 3);
        using var copy = new Network(labels: 3);
        CheckpointLoader.Save(network, Dialect.Identity, buffer);

        using var forward = new System.IO.Compression.DeflateStream(Deflated(buffer.ToArray()), System.IO.Compression.CompressionMode.Decompress);
        using var stream = new SafetensorsStream(forward, "model.zip");
        CheckpointLoader.Load(copy, stream, Dialect.Identity);

        foreach (var (name, value) in network.state_dict())
            Assert.True(value.equal(copy.state_dict()[name]).all().item<bool>(), name);
    }

    [Fact]
    public void ATruncatedStreamIsNamed()
    {
        using var buffer = new MemoryStream();
        using var network = new Network(labels: 3);
        CheckpointLoader.Save(network, Dialect.Identity, buffer);
        using var half = new MemoryStream(buffer.ToArray()[..^10]);
        using var stream = new SafetensorsStream(half, "model.zip");

        var message = Assert.Throws<CheckpointException>(() => CheckpointLoader.Load(network, stream, Dialect.Identity)).Message;

        Assert.Contains("model.zip", message);
        Assert.Contains("tensor '", message);
    }

    [Fact]
    public void TheNetworkKeepsItsType()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        using var file = Write(folder, "", rand(2, 2), rand(2, 2), rand(2, 2), ones(2, 2));
        using var network = new Network(labels: 3).to(bfloat16);

        CheckpointLoader.Load(network, file, s_publisher);

        Assert.Equal(bfloat16, network.state_dict()["blocks.0.out.weight"].dtype);
        Assert.Equal(4, network.state_dict()["blocks.0.out.weight"].sum().to(float32).item<float>());
    }

    [Fact]
    public void TheDialectIsFoundByTheNames()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        using var file = Write(folder, "model.", rand(2, 2), rand(2, 2), rand(2, 2), rand(2, 2));
        var other = new Dialect("another publisher") { Rules = [("blocks.*.qkv.*", "h.*.c_attn.*")] };

        Assert.Same(s_publisher, Dialect.For(file, other, s_publisher));
        var message = Assert.Throws<CheckpointException>(() => Dialect.For(file, other)).Message;
        Assert.Contains("another publisher", message);
        Assert.Contains("'model.layer.0.", message);
    }

    private static Checkpoint Write(TestFolders.TemporaryFolder folder, string prefix, Tensor query, Tensor key, Tensor value, Tensor output)
    {
        SafetensorsWriter.Write(folder.File("a.safetensors"),
        [
            (prefix + "layer.0.query.weight", query), (prefix + "layer.0.query.bias", ones(2)),
            (prefix + "layer.0.key.weight", key), (prefix + "layer.0.key.bias", ones(2)),
            (prefix + "layer.0.value.weight", value), (prefix + "layer.0.value.bias", ones(2)),
            (prefix + "layer.0.out", output), (prefix + "layer.0.out_bias", ones(2)),
            (prefix + "gamma", tensor(new float[] { 5, 6 }).reshape(1, 2)),
            (prefix + "embeddings.position_ids", TensorArithmetic.Arange(4)),
            ("classifier.weight", rand(3, 2)), ("classifier.bias", ones(3).Mul(4)),
        ]);
        return Checkpoint.Open(folder.File("a.safetensors"));
    }

    private static MemoryStream Deflated(byte[] bytes)
    {
        var deflated = new MemoryStream();
        using (var deflate = new System.IO.Compression.DeflateStream(deflated, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            deflate.Write(bytes);
        deflated.Position = 0;
        return deflated;
    }

    /// <summary>One block with fused query, key and value, a scale, and a head where there are labels.</summary>
    private sealed class Network : nn.Module
    {
        private readonly ModuleList<nn.Module> blocks;
        private readonly Parameter scale;
        private readonly Linear? head;

        public Network(int labels)
            : base(nameof(Network))
        {
            blocks = [new Block()];
            scale = new Parameter(rand(2));
            head = labels > 0 ? nn.Linear(2, labels) : null;
            RegisterComponents();
        }
    }

    private sealed class Tied : nn.Module
    {
        private readonly Parameter shared = new(zeros(2)), other = new(zeros(1));

        public Tied()
            : base(nameof(Tied)) => RegisterComponents();
    }

    private sealed class Block : nn.Module
    {
        private readonly Linear qkv = nn.Linear(2, 6);
        private readonly Linear @out = nn.Linear(2, 2);

        public Block()
            : base(nameof(Block)) => RegisterComponents();
    }
}
