// SPDX-License-Identifier: GPL-2.0
/*
 * An I2C bus with two chips, for a guest of the bench:
 *
 *   0x50  an EEPROM of 256 octets like the 24AA02: pages of 8 octets, in which a write wraps round, and no
 *         answer for 3 ms after a write, while it programs its cells
 *   0x48  a thermometer like the LM75: four registers of two octets, which here can all be written
 *
 * Ref: Microchip 24AA02, 6.2 and 7.0; NXP LM75B, 7.4.
 */
#include <linux/i2c.h>
#include <linux/ktime.h>
#include <linux/module.h>

#define PAGE 8

struct chip {
	u16 address;
	u8 width;		/* octets that one address has */
	unsigned int mask;	/* of an octet's place */
	bool programs;		/* is busy after a write */
	ktime_t busy_until;
	unsigned int at;
	u8 octets[256];
};

static struct chip chips[] = {
	{ .address = 0x50, .width = 1, .mask = 255, .programs = true },
	{ .address = 0x48, .width = 2, .mask = 7 },
};

static void store(struct chip *chip, const struct i2c_msg *msg)
{
	int i;

	chip->at = msg->buf[0] * chip->width & chip->mask;
	for (i = 1; i < msg->len; i++) {
		chip->octets[chip->at] = msg->buf[i];
		if (chip->programs)
			chip->at = (chip->at & ~(PAGE - 1)) | ((chip->at + 1) & (PAGE - 1));
		else
			chip->at = (chip->at + 1) & chip->mask;
	}
	if (chip->programs && msg->len > 1)
		chip->busy_until = ktime_add_ms(ktime_get(), 3);
}

static void fetch(struct chip *chip, struct i2c_msg *msg)
{
	int i;

	for (i = 0; i < msg->len; i++) {
		msg->buf[i] = chip->octets[chip->at];
		chip->at = (chip->at + 1) & chip->mask;
	}
}

static struct chip *find(u16 address)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(chips); i++)
		if (chips[i].address == address)
			return &chips[i];
	return NULL;
}

static int transfer(struct i2c_adapter *adapter, struct i2c_msg *msgs, int num)
{
	struct chip *chip = find(msgs[0].addr);
	int i;

	if (!chip || ktime_before(ktime_get(), chip->busy_until))
		return -ENXIO;
	for (i = 0; i < num; i++) {
		if (msgs[i].flags & I2C_M_RD)
			fetch(chip, &msgs[i]);
		else if (msgs[i].len)
			store(chip, &msgs[i]);
	}
	return num;
}

static u32 functionality(struct i2c_adapter *adapter)
{
	return I2C_FUNC_I2C;
}

static const struct i2c_algorithm algorithm = {
	.master_xfer = transfer,
	.functionality = functionality,
};

static struct i2c_adapter adapter = {
	.owner = THIS_MODULE,
	.name = "branchline i2c-mock",
	.algo = &algorithm,
};

static int __init i2c_mock_init(void)
{
	memset(chips[0].octets, 0xff, sizeof(chips[0].octets));
	return i2c_add_adapter(&adapter);
}

static void __exit i2c_mock_exit(void)
{
	i2c_del_adapter(&adapter);
}

module_init(i2c_mock_init);
module_exit(i2c_mock_exit);
MODULE_DESCRIPTION("I2C bus with an EEPROM and a thermometer that are memory");
MODULE_LICENSE("GPL");
