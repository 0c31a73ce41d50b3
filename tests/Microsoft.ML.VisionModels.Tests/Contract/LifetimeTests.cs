using System.Reflection;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>
/// Models that are disposed of while they are asked: each call ends with its answer, or says that the model has gone. In processes of
/// their own, which libtorch would end where it reads freed memory; tests/Microsoft.ML.VisionModels.Tests.Lifetime runs more of them.
/// </summary>
public class LifetimeTests
{
    /// <summary>The kinds of models, a family in a process, and whatever else holds a network.</summary>
    public static TheoryData<string> Scenarios =>
    [
        .. ModelKind.All.Values.Where(kind => kind.GetType().Assembly == typeof(ModelKind).Assembly).Select(kind => kind.Name).Order(StringComparer.Ordinal)
            .GroupBy(kind => kind.Split('-')[0]).Select(family => string.Join(' ', family)),
        "engines chain", "index sweep", "sam-session", "image-generator text-generator",
    ];

    [Theory, MemberData(nameof(Scenarios))]
    public async Task EachCallEndsWithItsAnswerOrIsRefused(string scenarios)
    {
        using var program = TestProgram.Start("LifetimeProgram", scenarios.Split(' '));
        var output = await program.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await program.AssertSuccess();
        // Some of each, or nothing was tried.
        var lines = output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(scenarios.Split(' '), lines.Select(line => line.Split(':')[0]));
        Assert.All(lines, line => Assert.Matches(@": [1-9]\d* models, [1-9]\d* answers, [1-9]\d* refusals", line));
    }

    [Fact]
    public void WhoeverUsesANetworkKeepsItUntilTheEnd()
    {
        var module = new Leaf();
        var network = new ScoringNetwork(module, torch.CPU, Precision.Float32);
        var (first, second) = (network.Use(this), network.Use(this));
        network.Dispose();
        network.Dispose();
        Assert.Null(network.TryUse());
        Assert.Throws<ObjectDisposedException>(() => network.Use(this));

        first.Dispose();
        first.Dispose();        // counts once
        Assert.Throws<ObjectDisposedException>(() => first.Module);
        Assert.False(module.weight.IsInvalid);
        Assert.Same(module, second.As<Leaf>());
        second.Dispose();
        Assert.True(module.weight.IsInvalid);
    }

    [Fact]
    public void AModelWithinAModelGoesWithItAndNotBefore()
    {
        var (module, inner) = (new Leaf(), new Owned());
        var network = new ScoringNetwork(module, torch.CPU, Precision.Float32);
        using (network.Use(this))
        {
            network.Dispose(with: inner);
            Assert.Equal(0, inner.Disposals);
        }
        Assert.Equal(1, inner.Disposals);
    }

    /// <summary>What holds a network for one call, or until somebody else owns it, and so is kept by nobody either.</summary>
    private static readonly HashSet<Type> s_passing = [typeof(DiffusionSampler), typeof(DiffusionModel), typeof(LoraTarget)];

    /// <summary>Whoever kept a network would score with what is no longer there.</summary>
    [Fact]
    public void NobodyKeepsANetworkBeyondItsUse()
    {
        var networks = typeof(BatchTransformer).Assembly.GetTypes().Where(type => type.IsAssignableTo(typeof(torch.nn.Module))).ToHashSet();
        var contracts = networks.SelectMany(type => type.GetInterfaces()).Where(type => type.Assembly == typeof(BatchTransformer).Assembly && !type.IsGenericType).ToHashSet();
        var keepers = typeof(BatchTransformer).Assembly.GetTypes()
            .Where(type => !networks.Contains(type) && !type.Name.StartsWith('<') && type.Namespace != typeof(TrainingLoop).Namespace
                && !type.IsAssignableTo(typeof(ITrainingTask)) && type != typeof(ScoringNetwork) && type != typeof(NetworkUse))
            .SelectMany(type => type.GetFields(Instruction.Declared))
            .Where(field => s_passing.Contains(field.FieldType) || (!s_passing.Contains(field.DeclaringType!) && (field.FieldType.IsAssignableTo(typeof(torch.nn.Module)) || contracts.Contains(field.FieldType))));
        Assert.Empty(keepers.Select(field => $"{field.DeclaringType}.{field.Name}"));
    }

    private sealed class Leaf : torch.nn.Module
    {
        internal readonly TorchSharp.Modules.Parameter weight = new(torch.zeros(4));

        public Leaf() : base(nameof(Leaf)) => RegisterComponents();
    }

    private sealed class Owned : IDisposable
    {
        public int Disposals { get; private set; }

        public void Dispose() => Disposals++;
    }
}
