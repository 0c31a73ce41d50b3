using System.Text.Json.Nodes;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.SelfSupervised;

/// <summary>Trains a backbone without labels, or loads a published one, and keeps it as a featurizer.</summary>
internal static class SslModel
{
    public static ImageFeaturizerTransformer Fit(FitContext<SslFeaturizerOptions> context)
    {
        var options = context.Options;
        var backbone = SslBackbones.Open(options);
        return options.Trains
            ? Train(context, backbone)
            : new(context.Host, new(options, backbone.Build(null), context.Device) { Processor = new(backbone.Preprocessing) });
    }

    private static ImageFeaturizerTransformer Train(FitContext<SslFeaturizerOptions> context, SslBackbonePlan backbone)
    {
        var (options, plan) = (context.Options, context.Options.MethodPlan(context.Seed));
        var processor = new ImageProcessor(backbone.Preprocessing);
        var views = SslViewMaker.Of(options, backbone.Size, backbone.Patch);
        var (train, validation) = Read(context, processor, plan);

        using var generator = context.NetworkGenerator();
        using var learner = Create(options, backbone, generator);
        ImageFeaturizerTransformer.Require(options, (IFeatureNetwork)learner.Kept);
        learner.DrawHeads(generator);
        learner.to(context.Device);
        learner.Learns.Network.GradientCheckpointing = plan.GradientCheckpointing;
        using var task = new SslTask(learner, processor, options, views, plan, train, validation, generator, context.Device);
        var history = TrainingLoop.Run(task, plan, context.Host);
        return new(context.Host, new(options, Kept(learner, backbone), context.Device) { Processor = processor, History = history });
    }

    /// <summary>The method's module around the backbone, whose heads have no values yet.</summary>
    internal static SslLearner Create(SslFeaturizerOptions options, SslBackbonePlan backbone, Generator generator)
    {
        var built = new List<nn.Module>();
        try
        {
            return options.Method switch
            {
                SslMethod.SimClr => new SimClr(Build(), options.SimClr),
                SslMethod.Byol => new Byol(Build(), options.Byol.UseTarget ? Build() : null, options.Byol),
                SslMethod.Dino => new Dino(Build(), Build(), options.Dino),
                _ => Build() is ViTNetwork vit ? new Mae(vit, options.Mae, generator) : throw new ArgumentException($"The network of {options.Checkpoint} is no Vision Transformer, whose patches masked autoencoders hide."),
            };
        }
        catch
        {
            built.ForEach(network => network.Dispose());
            throw;
        }

        nn.Module Build()
        {
            built.Add(backbone.Build(generator));
            return built[^1];
        }
    }

    /// <summary>The network that stays, as one of its own: the learner goes, with its heads and teachers.</summary>
    private static nn.Module Kept(SslLearner learner, SslBackbonePlan backbone)
    {
        var network = backbone.Family.Build(backbone.Family.WriteConfig(learner.Kept).ToJsonString());
        try
        {
            using var scope = NewDisposeScope();
            Teacher.Start(network, learner.Kept);
            network.eval();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static (LabeledRows Train, LabeledRows Validation) Read(FitContext<SslFeaturizerOptions> context, ImageProcessor processor, TrainingPlan plan)
    {
        var options = context.Options;
        var set = Read("training", context.Input, out var classes);
        var all = Rows(set);
        if (options.ValidationData is { } data)
        {
            var validation = Rows(Read("validation", data, out var theirs));
            if (theirs.Except(classes).ToArray() is { Length: > 0 } unknown)
                Notices.Say($"The validation rows have labels in '{options.LabelColumnName}' that no training row has, and are not judged by them: {string.Join(", ", unknown.Take(5))}.");
            return (all, validation);
        }
        var (learned, judged) = HoldOut.Split(all.Classes, plan.ValidationFraction, plan.Seed);
        return (all with { Indices = learned }, all with { Indices = judged });

        LabeledRows Rows(ImageSet<string> images)
        {
            var numbers = classes.Index().DistinctBy(entry => entry.Item).ToDictionary(entry => entry.Item, entry => entry.Index);
            return LabeledRows.All(images, [.. images.Payloads.Select(label => numbers.GetValueOrDefault(label ?? "", -1))]);
        }

        ImageSet<string> Read(string part, IDataView view, out IReadOnlyList<string> classes)
        {
            var labels = options.LabelColumnName is { } name ? LabelColumn.Bind(view.Schema, name) : null;
            // A row without a label teaches as much as one that has one.
            var payload = labels is null ? null : new PayloadColumn<string>(labels.Column, row =>
            {
                var read = labels.MakeReader(row);
                return () => read() ?? "";
            });
            var images = TrainingRows.Read(context.Host, options, part, view, processor, options.LabelColumnName, payload);
            classes = labels?.Collect(images.Payloads.Where(label => label != "")).Names ?? [];
            return images;
        }
    }
}

/// <summary>The kind of model that gives features, whichever family's network does.</summary>
internal sealed class SslFeaturizerKind() : ModelKind("ssl-featurizer", version: 1), IPublishedKind
{
    private const string Family = "Family", Network = "Network";

    public override Type Options => typeof(SslFeaturizerOptions);

    /// <summary>A network's configuration, and which family's it is.</summary>
    public override string WriteConfig(nn.Module network)
    {
        var family = SslBackbones.Of(network);
        return ModelJson.Write(new JsonObject { [Family] = family.Name, [Network] = family.WriteConfig(network) });
    }

    public override nn.Module Build(string config)
    {
        var json = ModelJson.ReadObject(config, "Config.json");
        if (json[Family] is not JsonValue name || name.GetValueKind() != System.Text.Json.JsonValueKind.String || json[Network] is not JsonObject network)
            throw new FormatException("The model file is damaged: its configuration names no family and network.");
        return SslBackbones.Named(name.GetValue<string>()).Build(network.ToJsonString());
    }

    public override BatchTransformer Create(IHostEnvironment environment, FittedModel model) => new ImageFeaturizerTransformer(environment, model);

    public void Publish(FittedModel model, NetworkUse network, string folder) => SslBackbones.Of(network.Module).Publish(network.Module, model.Processor!.Settings, folder);
}
