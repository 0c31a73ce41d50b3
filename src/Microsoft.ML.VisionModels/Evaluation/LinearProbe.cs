using Microsoft.ML.Data;
using Microsoft.ML.Trainers;

namespace Microsoft.ML.VisionModels.Evaluation;

/// <summary>A linear classifier of embeddings: ML.NET's maximum entropy (multinomial logistic regression), on features of mean 0 and variance 1.</summary>
internal static class LinearProbe
{
    private sealed class Row
    {
        public uint Label { get; set; }         // from 0: ML.NET adds the 1 that its keys start with
        public float[] Features { get; set; } = [];
    }

    /// <summary>Learns from rows, and gives the share of others that it gets right.</summary>
    /// <param name="context">The context; its seed matters not, as all rows are used in each step.</param>
    /// <param name="train">The rows to learn from, and the class of each.</param>
    /// <param name="test">The others.</param>
    /// <param name="classes">How many classes there are; at least two.</param>
    public static double Accuracy(MLContext context, (LabeledEmbeddings Rows, int[] Classes) train, (LabeledEmbeddings Rows, int[] Classes) test, int classes)
    {
        var probe = context.Transforms.NormalizeMeanVariance(nameof(Row.Features), fixZero: false)
            .Append(context.MulticlassClassification.Trainers.LbfgsMaximumEntropy(new LbfgsMaximumEntropyMulticlassTrainer.Options { L1Regularization = 0, L2Regularization = 1 }))
            .Fit(View(train));
        var predicted = probe.Transform(View(test)).GetColumn<uint>("PredictedLabel");
        return predicted.Zip(test.Classes).Average(pair => pair.First == pair.Second + 1 ? 1.0 : 0);

        IDataView View((LabeledEmbeddings Rows, int[] Classes) rows)
        {
            var schema = SchemaDefinition.Create(typeof(Row));
            schema[nameof(Row.Label)].ColumnType = new KeyDataViewType(typeof(uint), classes);
            schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows.Rows.Embeddings[0].Length);
            return context.Data.LoadFromEnumerable(rows.Rows.Embeddings.Zip(rows.Classes, (embedding, place) => new Row { Label = (uint)place, Features = embedding }), schema);
        }
    }
}
