package price_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/stagemeter/stagemeter/instrument/price"
)

func ExampleTable_Cost() {
	table := price.Default()
	usage := price.Usage{Provider: "openai", Model: "whisper-1"}
	usage.Add(price.Audio, int64(61*time.Second))
	cost, err := table.Cost(usage)
	fmt.Println(cost, err)
	// Output: $0.0061 <nil>
}

// A price that nobody knows is an error, never $0.
func ExampleUnknownError() {
	table, err := price.Parse([]byte(`{"rows": [{"provider": "openai", "model": "gpt-4o", "per_1M": {"input": "2.50", "output": "10"}}]}`))
	if err != nil {
		panic(err)
	}
	usage := price.Usage{Provider: "openai", Model: "gpt-4o-2024-08-06"}
	usage.Add(price.InputAudio, 75)
	_, err = table.Cost(usage)
	var unknown *price.UnknownError
	if errors.As(err, &unknown) {
		fmt.Println(unknown.Reason, unknown.What)
	}
	// Output: unit input_audio
}

// Prices of your own come before those of the package, also for the snapshots of a model.
func ExampleTable_With() {
	own, err := price.Parse([]byte(`{"rows": [{"provider": "openai", "model": "gpt-4o", "per_1M": {"input": "2", "output": "8"}}]}`))
	if err != nil {
		panic(err)
	}
	usage := price.Usage{Provider: "openai", Model: "gpt-4o-2024-08-06"}
	usage.Add(price.Input, 1000)
	usage.Add(price.Output, 100)
	fmt.Println(price.Default().With(own).Cost(usage))
	// Output: $0.0028 <nil>
}
